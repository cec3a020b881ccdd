#!/usr/bin/python3
"""Calls a container runtime as the kubelet does, by the Container Runtime Interface (runtime.v1). Debian has no crictl.

usage: cri.py SOCKET METHOD REQUEST      prints the response; both are JSON, in which fields have the names of the interface

Only the fields that the test needs are known.
"""

import json
import sys

import grpc

# The fields of each message: name, number, and type; `[T]` is repeated.
POD = "pod_sandbox_id", 1, "string"
CONTAINER = "container_id", 1, "string"
MESSAGES = {
    "VersionRequest": [],
    "VersionResponse": [("runtime_name", 2, "string"), ("runtime_version", 3, "string")],
    "RunPodSandboxRequest": [("config", 1, "Pod")],
    "RunPodSandboxResponse": [POD],
    "StopPodSandboxRequest": [POD],
    "StopPodSandboxResponse": [],
    "RemovePodSandboxRequest": [POD],
    "RemovePodSandboxResponse": [],
    "CreateContainerRequest": [POD, ("config", 2, "Container"), ("sandbox_config", 3, "Pod")],
    "CreateContainerResponse": [CONTAINER],
    "StartContainerRequest": [CONTAINER],
    "StartContainerResponse": [],
    "StopContainerRequest": [CONTAINER, ("timeout", 2, "int")],
    "StopContainerResponse": [],
    "ContainerStatusRequest": [CONTAINER],
    "ContainerStatusResponse": [("status", 1, "Status")],
    "ExecSyncRequest": [CONTAINER, ("cmd", 2, ["string"]), ("timeout", 3, "int")],
    "ExecSyncResponse": [("stdout", 1, "string"), ("stderr", 2, "string"), ("exit_code", 3, "int")],
    "Pod": [("metadata", 1, "PodName"), ("log_directory", 3, "string"), ("linux", 8, "LinuxPod")],
    "PodName": [("name", 1, "string"), ("uid", 2, "string"), ("namespace", 3, "string")],
    "LinuxPod": [("cgroup_parent", 1, "string"), ("security_context", 2, "PodSecurity")],
    "PodSecurity": [("namespace_options", 1, "Namespaces")],
    "Namespaces": [("network", 1, "int"), ("pid", 2, "int")],
    "Container": [
        ("metadata", 1, "Name"),
        ("image", 2, "Image"),
        ("command", 3, ["string"]),
        ("args", 4, ["string"]),
        ("envs", 6, ["Variable"]),
        ("mounts", 7, ["Mount"]),
        ("log_path", 11, "string"),
        ("linux", 15, "LinuxContainer"),
    ],
    "Name": [("name", 1, "string"), ("attempt", 2, "int")],
    "Image": [("image", 1, "string")],
    "Variable": [("key", 1, "string"), ("value", 2, "string")],
    "Mount": [("container_path", 1, "string"), ("host_path", 2, "string")],
    "LinuxContainer": [("resources", 1, "Resources"), ("security_context", 2, "Security")],
    "Resources": [("memory_limit_in_bytes", 4, "int")],
    "Security": [("namespace_options", 3, "Namespaces")],
    "Status": [("state", 3, "int"), ("exit_code", 7, "int"), ("reason", 10, "string"), ("message", 11, "string")],
}


def number(value):
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(written) + bytes([value])


def encode(kind, message):
    unknown = set(message) - {name for name, _, _ in MESSAGES[kind]}
    assert not unknown, f"{kind} has no {unknown}"
    written = b""
    for name, tag, of in MESSAGES[kind]:
        if name not in message:
            continue
        values = message[name] if isinstance(of, list) else [message[name]]
        of = of[0] if isinstance(of, list) else of
        for value in values:
            if of == "int":
                written += number(tag << 3) + number(value)
            else:
                content = value.encode() if of == "string" else encode(of, value)
                written += number(tag << 3 | 2) + number(len(content)) + content
    return written


def decode(kind, written):
    fields = {tag: (name, of) for name, tag, of in MESSAGES[kind]}
    # What is zero or empty isn't sent.
    message = {name: {"int": 0, "string": ""}[of] for name, of in fields.values() if of in ("int", "string")}
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = written[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(written):
        key = read()
        assert key & 7 in (0, 2), f"{kind}: a field of type {key & 7}"
        value = read()
        if key & 7 == 2:
            value, at = written[at : at + value], at + value
        if key >> 3 in fields:
            name, of = fields[key >> 3]
            message[name] = value if of == "int" else value.decode() if of == "string" else decode(of, value)
    return message


socket, method, request = sys.argv[1:]
with grpc.insecure_channel(f"unix://{socket}") as channel:
    call = channel.unary_unary(f"/runtime.v1.RuntimeService/{method}")
    try:
        answer = call(encode(f"{method}Request", json.loads(request)), timeout=60)
    except grpc.RpcError as error:
        sys.exit(f"{method}: {error.code()}: {error.details()}")
print(json.dumps(decode(f"{method}Response", answer)))
