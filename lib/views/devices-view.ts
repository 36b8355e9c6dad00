import * as z from 'zod';
import { rangeOf, type ViewContext } from './context.ts';
import { readDevices, statesOf } from './device-item.ts';
import { choiceField, limitField, rangeFields, textField } from './query.ts';
import { type DevicesView, deviceStateSchema } from './schemas.ts';

export const devicesQuerySchema = z.object({
  ...rangeFields,
  site: textField('devices at this site'),
  application: textField('devices that serve this application'),
  state: choiceField(deviceStateSchema.options, 'devices in this state'),
  limit: limitField(5_000, 100_000),
});
export type DevicesQuery = z.output<typeof devicesQuerySchema>;

/** Devices by site, then name. */
export async function devicesView(context: ViewContext, query: DevicesQuery): Promise<DevicesView> {
  const range = rangeOf(context, query);
  const devices = await readDevices(context, range);
  const fitting = devices.filter(
    (device) =>
      (query.site === undefined || device.site === query.site) &&
      (query.application === undefined || device.applications.includes(query.application)) &&
      (query.state === undefined || device.state === query.state),
  );
  const emptyReason =
    fitting.length > 0
      ? null
      : devices.length > 0
        ? 'No device fits the filter.'
        : 'No device yet: one appears when a resource with host.id, host.name or service.instance.id reports, over OTLP or MQTT.';
  return { range, items: fitting.slice(0, query.limit), states: statesOf(fitting), emptyReason };
}
