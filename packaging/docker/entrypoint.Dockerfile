# An image whose command is started by panicmon:
#
#     docker build -t myserver -f packaging/docker/entrypoint.Dockerfile packaging/docker

ARG BASE=debian:stable-slim
FROM ${BASE}

# The image that the Dockerfile beside this one builds.
COPY --from=panicmon /panicmon /panicmon

# In the form of a list: as a string it would be run by a shell, which would be PID 1 in panicmon's place. After `--`
# everything is the command, so that `docker run myserver --anything` can't change panicmon's own options.
ENTRYPOINT ["/panicmon", "--"]

# The options of the image go into variables, where `docker run -e` and a pod's `env` can override them.
ENV PANICMON_KILL_AFTER=8s

# Your server in place of this one. As PID 1 this sleep would ignore the TERM of `docker stop`, as it has no handler of
# its own, and would be killed ten seconds later; behind panicmon it ends at once.
CMD ["sleep", "86400"]
