# An image whose command panicmon starts:
#
#     docker build -t myserver -f packaging/docker/entrypoint.Dockerfile packaging/docker

ARG BASE=debian:stable-slim
FROM ${BASE}

# From the image that the other Dockerfile of this directory builds.
COPY --from=panicmon /panicmon /panicmon

# As a list: a shell would run a string, and be PID 1 itself. Everything after `--` is the command, so that
# `docker run myserver --anything` can't change panicmon's own options.
ENTRYPOINT ["/panicmon", "--"]

# Set the options of the image in variables: `docker run -e` and a pod's `env` can override these.
ENV PANICMON_KILL_AFTER=8s

# Put your server here. As PID 1 this sleep would ignore the TERM of `docker stop`, because it has no handler, and would be
# killed ten seconds later. Behind panicmon it ends at once.
CMD ["sleep", "86400"]
