export type Log = (level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>) => void;

/** For people who look at the terminal. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** For logs: a fixed sentence and what varies. */
export const log: Log = (level, sentence, fields) => {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message: sentence, ...fields })}\n`);
};
