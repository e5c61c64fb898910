"""A client made of the generated stub and nothing else.

usage: plain_client.py PROTO_DIRECTORY TOPIC PARTITIONS COUNT HOST:PORT...

Sends COUNT plain records, each to the next of the brokers, then reads every partition from each broker, and prints one
JSON object: the values each broker gave.
"""
import importlib
import json
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc

proto_directory, topic, partitions, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
brokers = sys.argv[5:]

out = tempfile.mkdtemp()
files = [str(path) for path in pathlib.Path(proto_directory, "quorate/v1").glob("*.proto")]
status = protoc.main(["protoc", f"-I{proto_directory}", f"--python_out={out}", f"--grpc_python_out={out}", *files])
assert status == 0, "the .proto files compile"
sys.path.insert(0, out)
messages = importlib.import_module("quorate.v1.broker_pb2")
services = importlib.import_module("quorate.v1.broker_pb2_grpc")

stubs = [services.BrokerStub(grpc.insecure_channel(address)) for address in brokers]


def produce(stub, value):
    record = {"value": value.encode()}
    reply = stub.Produce(messages.ProduceRequest(plain=[{"topic": topic, "records": [record]}]), timeout=20)
    for partition in reply.partitions:
        assert partition.error == 0, f"{partition.error}: {partition.error_message}"


def read(stub):
    values = []
    for partition in range(partitions):
        offset = 0
        while True:
            request = messages.FetchRequest(
                plain=True, partitions=[{"topic": topic, "partition": partition, "fetch_offset": offset}]
            )
            (reply,) = stub.Fetch(request, timeout=20).partitions
            assert reply.error == 0, f"{reply.error}: {reply.error_message}"
            values += [record.value.decode() for record in reply.records]
            if not reply.records:
                break
            offset = reply.records[-1].offset + 1
    return values


for number in range(count):
    produce(stubs[number % len(stubs)], f"value {number}")
print(json.dumps([read(stub) for stub in stubs]))
