/** PUBACK, reason code 0: the same four bytes in MQTT 3.1.1 (3.4) and 5 (3.4.2.1: reason code left out = success). */
export function pubacks(messageIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(messageIds.length * 4);
  for (let i = 0; i < messageIds.length; i++) {
    bytes.writeUInt16BE(0x4002, i * 4);
    bytes.writeUInt16BE(messageIds[i]!, i * 4 + 2);
  }
  return bytes;
}
