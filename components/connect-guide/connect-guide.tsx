import type { ReactNode } from 'react';
import { TextLink } from '../ui/button.tsx';
import { CopyButton } from './copy-button.tsx';

export interface ListeningAddresses {
  /** host:port; null = switched off */
  otlp: string | null;
  otlpGrpc: string | null;
  broker: string | null;
}

/** Nothing has ever arrived: the shortest way to the first hop, in lines to copy. */
export function ConnectGuide({ addresses, demo }: { addresses: ListeningAddresses; demo: boolean }) {
  const { otlp, broker } = addresses;
  const [host, port] = splitAddress(broker);
  const endpoint = `http://${otlp ?? '127.0.0.1:4318'}`;
  return (
    <div className="mx-auto flex max-w-320 flex-col gap-5 px-4 pt-8 pb-10">
      <header className="flex flex-col gap-2">
        <h1 className="text-headline font-title tracking-[-0.02em]">
          {demo ? 'The demo fleet is starting' : 'Nothing has arrived yet'}
        </h1>
        <p className="max-w-[70ch] text-sentence text-ink2">
          <strong className="font-strong text-ink">
            {demo ? 'Its first requests arrive within seconds.' : 'Hopscope is listening.'}
          </strong>{' '}
          A hop appears as soon as two services that talk to each other both send their spans; a device appears with its
          first metric or heartbeat. This page turns into the fleet map by itself.
        </p>
        <ul className="flex flex-wrap gap-x-5 gap-y-1 text-dense text-ink2">
          <Listening name="OTLP over HTTP" address={otlp} />
          <Listening name="OTLP over gRPC" address={addresses.otlpGrpc} />
          <Listening name="MQTT broker" address={broker} />
        </ul>
      </header>
      <ol className="grid grid-cols-1 gap-2.5 wide:grid-cols-2">
        <Step
          id="first"
          title="The first message, in one line"
          note={
            broker === null
              ? 'the embedded broker is off: use your own broker’s address'
              : 'with trace context in its MQTT 5 user properties'
          }
          text={`mosquitto_pub -V 5 -h ${host} -p ${port} \\
  -t factory/hannover/button/start -m 1 -D publish user-property \\
  traceparent 00-$(openssl rand -hex 16)-$(openssl rand -hex 8)-01`}
        >
          Shows as traffic on the topic. MQTT 3.1.1 has no user properties and so carries no trace.
        </Step>
        <Step
          id="broker"
          title="Your own broker"
          note="hopscope.yaml, beside package.json"
          text={`brokers:
  - url: mqtt://USER:PASSWORD@broker.example:1883
    site: dublin
    topics: ["#"]
sites:
  - { id: dublin, name: Dublin, lat: 53.35, lon: -6.26, hosts: ["*-dublin"] }
  - { id: hannover, name: Hannover, lat: 52.37, lon: 9.73, hosts: ["*-hannover*"] }
budgets:
  - { path: "button press", totalMs: 10 }`}
        >
          Then restart. Sites put devices on the map; a budget is what a hop is judged by.
        </Step>
        <Step
          id="node"
          title="A Node.js service"
          note="OpenTelemetry, no change in the code"
          text={`npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node

OTEL_SERVICE_NAME=factory-events \\
OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint} \\
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\
OTEL_RESOURCE_ATTRIBUTES=hopscope.site=ashburn,host.name=$(hostname) \\
node --require @opentelemetry/auto-instrumentations-node/register app.js`}
        />
        <Step
          id="python"
          title="A Python service"
          note="OpenTelemetry, no change in the code"
          text={`pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http
opentelemetry-bootstrap -a install

OTEL_SERVICE_NAME=local-llm \\
OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint} \\
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\
OTEL_RESOURCE_ATTRIBUTES=hopscope.site=funabashi,host.name=$(hostname) \\
opentelemetry-instrument python app.py`}
        />
        <Step
          id="node-red"
          title="Node-RED"
          note="flows as spans, trace context on MQTT 5"
          text={`cd ~/.node-red && npm install node-red-contrib-opentelemetry
# drop one "OTEL" node into a flow and set
#   URL       ${endpoint}/v1/traces
#   Protocol  http/protobuf
# and in every MQTT broker node
#   Protocol  MQTT V5`}
        >
          With V3.1.1 selected there is no trace context, and the flow stays untraced.
        </Step>
        <Step
          id="telegraf"
          title="CPU and memory, with Telegraf"
          note="telegraf.conf"
          text={`[[inputs.cpu]]
  percpu = false
  totalcpu = true
[[inputs.mem]]
[[outputs.mqtt]]
  servers = ["tcp://${host}:${port}"]
  protocol = "5"
  topic = "data/{{ .Hostname }}/metrics/{{ .PluginName }}"
  data_format = "influx"`}
        />
      </ol>
      <p className="text-body text-ink2 [&_a]:underline">
        Sent something and still nothing here? The <TextLink href="/status">status page</TextLink> counts what was
        received and says why anything was rejected.
      </p>
    </div>
  );
}

function splitAddress(address: string | null): [string, string] {
  if (address === null) return ['broker.example', '1883'];
  const at = address.lastIndexOf(':');
  return [address.slice(0, at), address.slice(at + 1)];
}

function Listening({ name, address }: { name: string; address: string | null }) {
  return (
    <li>
      {name}{' '}
      {address === null ? (
        <span className="text-ink3">is off</span>
      ) : (
        <code className="font-mono text-ink">{address}</code>
      )}
    </li>
  );
}

function Step({
  id,
  title,
  note,
  text,
  children,
}: {
  id: string;
  title: string;
  note: string;
  text: string;
  children?: ReactNode;
}) {
  return (
    <li className="flex min-w-0 flex-col overflow-hidden rounded-panel border border-line bg-panel">
      <div className="flex min-h-10 items-center gap-3 border-b border-line py-1.5 ps-3.5 pe-2">
        <div className="min-w-0 flex-1">
          <h2 className="text-body font-title">{title}</h2>
          <p className="text-note text-ink3">{note}</p>
        </div>
        <CopyButton text={text} what={title} targetId={`lines-${id}`} />
      </div>
      {/* a region that scrolls must be reachable by keyboard */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <pre tabIndex={0} className="flex-1 overflow-x-auto px-3.5 py-3 font-mono text-dense text-ink">
        <code id={`lines-${id}`}>{text}</code>
      </pre>
      {children && <p className="border-t border-line px-3.5 py-2 text-dense text-ink2">{children}</p>}
    </li>
  );
}
