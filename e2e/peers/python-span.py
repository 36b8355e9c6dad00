"""One span by Python's OpenTelemetry SDK; prints its trace id once the exporter was answered."""
import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "python-peer", "host.name": "python-host"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=sys.argv[1] + "/v1/traces")))
with provider.get_tracer("peer").start_as_current_span("measure wafer") as span:
    trace_id = span.get_span_context().trace_id
provider.shutdown()
print(f"{trace_id:032x}")
