import { HopscopeError } from '#lib/errors.ts';
import type { Look } from '../look.ts';
import { locationOf, parseAddress } from './address.ts';
import { serverVersion, versionTrouble } from './migrate.ts';
import { Server } from './server.ts';
import { Watch } from './status.ts';

/** Asks the server for its version and for what an operator must know; nothing is made or changed there. */
export async function lookAtQuestDb(url: string): Promise<Look[]> {
  let server: Server | null = null;
  try {
    server = new Server(parseAddress(url));
    const where = locationOf(server.address);
    const version = await serverVersion(server);
    const trouble = versionTrouble(version);
    if (trouble) return [{ wrong: true, sentence: `The store at ${where} will not do: ${trouble}.` }];
    const warnings = await new Watch(server).warnings();
    return [
      { wrong: false, sentence: `The store is QuestDB ${version} at ${where}, which answers.` },
      ...warnings.map((sentence) => ({ wrong: true, sentence: `${sentence}.` })),
    ];
  } catch (error) {
    const why = error instanceof HopscopeError ? error.message : String(error);
    return [{ wrong: true, sentence: `The store on QuestDB cannot be read: ${why}` }];
  } finally {
    await server?.close();
  }
}
