#!/usr/bin/env bash
# zsh 5.9 (Debian 12: zsh 5.9-4+b15): behind `nohup --`, `nice --`, `env --`, `setsid --`, `sudo --`, `unshare --`, `xargs --` and
# `strace --` nothing of the command is completed. With an option in front, or without the --, it is.
#
# What most of these completions have in common is the specification '*::arguments: _normal' of _arguments: it takes away the
# options and the -- that ends them, and leaves the command and its words. But a -- that is the very first word stays: _normal
# then completes the words of a command that is called --. (nice's completion does without _arguments, and never knows --.) A
# completion that is to work there must drop a first -- itself: `[[ $words[1] != -- ]] || { shift words; (( CURRENT-- )) }`.
#
# Seen, for a command `speaking` that takes the word `friend`, and Tab behind `fr`:
#     nohup, nice, env, setsid, sudo, unshare, strace: `NAME speaking fr` becomes `friend`, `NAME -- speaking fr` stays
#     xargs: `xargs -- speaking fr` stays
#     setsid -f --, unshare -m --: behind an option, it becomes `friend`
#     nice -n 5 --: stays
#
# Needs: Debian 12 with zsh and tmux. Exits with 1 if any of this has changed.
set -euo pipefail

[ "$(dpkg-query -W -f '${Version}' zsh 2>/dev/null)" = 5.9-4+b15 ] || { echo "needs zsh 5.9-4+b15" >&2; exit 1; }
command -v tmux >/dev/null || { echo "needs tmux" >&2; exit 1; }

work=$(mktemp -d)
tmux() { command tmux -S "$work/tmux" -f /dev/null "$@"; }
# shellcheck disable=SC2317
clean_up() {
    tmux kill-server 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

cat >"$work/.zshrc" <<'X'
PS1='$ '
unsetopt beep
autoload -Uz compinit
compinit -u -D
_speaking() { _arguments '1:word:(friend)' }
compdef _speaking speaking
X
wait_until() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}
shows() { [ "$(tmux capture-pane -p -t shell | grep '^\$' | tail -n 1)" = "$1" ]; }

tmux new-session -d -s shell -x 100 -y 50 \
    env -i PATH=/usr/bin:/bin "HOME=$work" "ZDOTDIR=$work" TERM=screen LC_ALL=C.UTF-8 zsh -i
wait_until shows '$'

# tab TYPED: what Tab makes of it. An x that is typed behind it says that Tab is done.
tab() {
    tmux send-keys -t shell C-u
    wait_until shows '$'
    tmux send-keys -t shell -l "$1"
    wait_until shows "\$ $1"
    tmux send-keys -t shell Tab
    tmux send-keys -t shell -l x
    wait_until ends_with_x
    tmux capture-pane -p -t shell | grep '^\$' | tail -n 1 | sed 's/^\$ //; s/ \?x$//'
}
# shellcheck disable=SC2317
ends_with_x() { [[ "$(tmux capture-pane -p -t shell | grep '^\$' | tail -n 1)" == *x ]]; }

failed=
# is EXPECTED TYPED
is() {
    local made
    made=$(tab "$2")
    echo "$2 -> $made"
    [ "$made" = "$1" ] || failed=yes
}
for name in nohup nice env setsid sudo unshare strace; do
    is "$name speaking friend" "$name speaking fr"
    is "$name -- speaking fr" "$name -- speaking fr"
done
is "xargs -- speaking fr" "xargs -- speaking fr"
is "setsid -f -- speaking friend" "setsid -f -- speaking fr"
is "unshare -m -- speaking friend" "unshare -m -- speaking fr"
is "nice -n 5 -- speaking fr" "nice -n 5 -- speaking fr"
[ -z "$failed" ]
