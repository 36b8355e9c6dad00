import { resolve } from 'node:path';
import { type Config, loadConfig } from '#lib/config.ts';
import { HopscopeError } from '#lib/errors.ts';

const demoFile = resolve(import.meta.dirname, '../demo-fleet/hopscope.yaml');

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** The settings that `npm start` would run with, given the same arguments. */
export const settings = (argv: string[]): Config => loadConfig(argv, process.env, process.cwd(), demoFile);

/** Runs a command; what keeps it from its end is said in a sentence, and the exit code is 1. */
export function command(run: (argv: string[]) => Promise<number>): void {
  run(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      const expected = error instanceof HopscopeError;
      process.stderr.write(
        `hopscope: ${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
      );
      process.exit(1);
    },
  );
}
