# shellcheck shell=bash disable=SC2207,SC2034
# Completes the options of panicmon and their values, and then the words of the command, as the command's own completion does.
# Printed by panicmon --completions bash.

_panicmon() {
    local at word option='' value='' begun='' glued=''
    COMPREPLY=()
    # bash splits words at = and :, and hands those over as words of their own.
    for ((at = 1; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ $option && ! $begun ]]; then
            [[ $word == = ]] || value=$word begun=yes
            continue
        elif [[ $option && ($word =~ ^[=:]+$ || $glued) ]]; then
            value+=$word
            if [[ $word =~ ^[=:]+$ ]]; then glued=yes; else glued=''; fi
            continue
        fi
        option='' value='' begun=''
        case $word in
            --)
                _panicmon_command $((at + 1))
                return
                ;;
            --*=*) ;;
            -?*) _panicmon_awaits "$word" ;;
            *)
                _panicmon_command "$at"
                return
                ;;
        esac
    done

    word=${COMP_WORDS[COMP_CWORD]}
    if [[ $option && ! $begun ]]; then
        [[ $word == = ]] || value=$word
    elif [[ $option && ($word =~ ^[=:]+$ || $glued) ]]; then
        value+=$word
    elif [[ $word == --*=* ]]; then
        _panicmon_awaits "${word%%=*}"
        value=${word#*=}
        [[ ! $option ]] || _panicmon_value "$option"
        COMPREPLY=("${COMPREPLY[@]/#/${word%%=*}=}")
        return
    elif [[ $word == -[^-]?* ]] && _panicmon_awaits "$word" && [[ $begun ]]; then
        local before=${word%"$value"}
        _panicmon_value "$option"
        COMPREPLY=("${COMPREPLY[@]/#/$before}")
        return
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "-C --dir -e --env --unset-env --clear-env -u --user -s --signals -r --rewrite --delay -g --group --session --parent-death-signal -k --kill-after --stop-signals --drain --exit --success --restart --min-wait --max-wait --no-restart-on --max-restarts --label --timestamps --events --hook --hook-on --hook-timeout --report --report-keep --termination-log --metrics --stderr-tail --stdout-tail --redact --report-args --name -c --config --check --as --doctor -v --verbose -q --quiet --completions --man -h --help -V --version" -- "$word"))
        return
    else
        _panicmon_command "$COMP_CWORD"
        return
    fi
    _panicmon_value "$option"
    # Of the value, bash replaces what is behind the last = or :.
    local breaks=${COMP_WORDBREAKS//[^=:]/}
    if [[ $breaks && $value == *[$breaks]* ]]; then
        local kept=${value%"${value##*["$breaks"]}"}
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    fi
}

# _panicmon_awaits WORD: sets $option, if the word is one with a value: the next word, or $value, with which it has $begun.
_panicmon_awaits() {
    local letters
    case $1 in
        --dir | --env | --unset-env | --user | --signals | --rewrite | --delay | --parent-death-signal | --kill-after | --stop-signals | --drain | --exit | --success | --restart | --min-wait | --max-wait | --no-restart-on | --max-restarts | --label | --timestamps | --events | --hook | --hook-on | --hook-timeout | --report | --report-keep | --termination-log | --metrics | --stderr-tail | --stdout-tail | --redact | --name | --config | --as | --completions) option=$1 ;;
        --*) ;;
        *)
            # Behind a letter that takes a value, the others are that value.
            letters=${1%%[Ceusrkc]*}
            [[ $1 != "$letters" ]] || return
            option=-${1:${#letters}:1} value=${1:${#letters}+1}
            [[ ! $value ]] || begun=yes
            ;;
    esac
}

# _panicmon_value OPTION: completes its $value.
_panicmon_value() {
    case $1 in
        -C | --dir) _panicmon_files -d ;;
        -e | --env) _panicmon_assignment ;;
        --unset-env) _panicmon_list "$(compgen -e)" ;;
        -u | --user) _panicmon_users ;;
        -s | --signals) _panicmon_list "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX" ;;
        -r | --rewrite) _panicmon_pairs "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX uncaught" "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX drop" ;;
        --delay) _panicmon_pairs "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX" "" ;;
        --parent-death-signal) _panicmon_one "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX KILL" ;;
        --stop-signals) _panicmon_list "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX" ;;
        --exit) _panicmon_pairs "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX oom timeout requested" "" ;;
        --success) _panicmon_list "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX" ;;
        --restart) _panicmon_one "never on-failure always" ;;
        --no-restart-on) _panicmon_list "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX -1" ;;
        --timestamps) _panicmon_one "rfc3339 iso8601 unix unix-ms" ;;
        --events) _panicmon_sinks ;;
        --hook) COMPREPLY=($(compgen -c -- "$value")) ;;
        --hook-on) _panicmon_list "starting started failed exited stopped continued ready status restart.scheduled restart.given_up previous_run.lost signal.received signal.passed signal.dropped signal.delayed signal.failed orphan.reaped drain.started drain.killed drain.signaled drain.ended" ;;
        --report) _panicmon_files -d ;;
        --termination-log) _panicmon_files ;;
        --metrics) _panicmon_files ;;
        -c | --config) _panicmon_files ;;
        --as) _panicmon_one "tini dumb-init catatonit" ;;
        --completions) _panicmon_one "bash zsh fish" ;;
    esac
}

_panicmon_files() {
    local cur=$value
    if declare -F _filedir >/dev/null; then
        _filedir "$@"
    else
        compopt -o filenames
        COMPREPLY=($(compgen "${@:--f}" -- "$value"))
    fi
}

_panicmon_sinks() {
    if [[ $value == unix:* ]]; then
        COMPREPLY=($(compgen -P unix: -f -- "${value#unix:}"))
    else
        _panicmon_files
        COMPREPLY+=($(compgen -W "stderr fd: unix:" -- "$value"))
    fi
}

_panicmon_users() {
    if [[ $value == *:* ]]; then
        COMPREPLY=($(compgen -g -P "${value%%:*}:" -- "${value#*:}"))
    else
        COMPREPLY=($(compgen -u -- "$value"))
    fi
}

_panicmon_one() { COMPREPLY=($(compgen -W "$(_panicmon_as "$value" "$1")" -- "$value")); }

_panicmon_list() {
    local before=${value%"${value##*,}"} last=${value##*,}
    compopt -o nospace
    COMPREPLY=($(compgen -P "$before" -W "$(_panicmon_as "$last" "$1")" -- "$last"))
}

_panicmon_pairs() {
    local before=${value%"${value##*,}"} last=${value##*,}
    compopt -o nospace
    if [[ $last == *=* ]]; then
        before+=${last%%=*}= last=${last#*=}
        COMPREPLY=($(compgen -P "$before" -W "$(_panicmon_as "$last" "$2")" -- "$last"))
    else
        COMPREPLY=($(compgen -P "$before" -S = -W "$(_panicmon_as "$last" "$1")" -- "$last"))
    fi
}

_panicmon_assignment() {
    [[ $value != *=* ]] || return
    compopt -o nospace
    COMPREPLY=($(compgen -S = -e -- "$value"))
}

# _panicmon_as BEGINNING NAMES: the names; of signals, with SIG where that is typed.
_panicmon_as() {
    if [[ $1 == SIG* ]]; then
        echo "SIG${2// / SIG}"
    else
        echo "$2"
    fi
}

# _panicmon_command INDEX: the command begins at this word.
_panicmon_command() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD == $1)); then
        COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
    else
        compopt -o filenames
        COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
    fi
}

complete -F _panicmon panicmon
