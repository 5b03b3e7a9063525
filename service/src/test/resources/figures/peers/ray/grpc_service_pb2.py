# Ray looks messages up in a module called as the protocol's file; tritonclient has them in another package.
from tritonclient.grpc.service_pb2 import *  # noqa: F403
