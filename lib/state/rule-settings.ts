import type { DatabaseSync } from 'node:sqlite';
import type { RuleId, RuleSetting } from '../domain/alert.ts';
import type { Change } from './open.ts';
import type { RuleSettings } from './state.ts';

const most = 200;

export function ruleSettingsIn(db: DatabaseSync, change: Change): RuleSettings {
  const all = db.prepare('SELECT body FROM rule_settings ORDER BY rule');
  const save = db.prepare(
    'INSERT INTO rule_settings (rule, body) VALUES (?, ?) ON CONFLICT (rule) DO UPDATE SET body = excluded.body',
  );
  const drop = db.prepare('DELETE FROM rule_settings WHERE rule = ?');
  const log = db.prepare('INSERT INTO rule_setting_events (rule, who, at_ms, body) VALUES (?, ?, ?, ?)');
  const history = db.prepare('SELECT rule, who, at_ms, body FROM rule_setting_events ORDER BY number DESC LIMIT ?');
  return {
    all: () => (all.all() as { body: string }[]).map(({ body }) => JSON.parse(body) as RuleSetting),
    save: change((setting: RuleSetting) => {
      const body = JSON.stringify(setting);
      save.run(setting.rule, body);
      log.run(setting.rule, setting.by, setting.atMs, body);
    }),
    reset: change((rule: RuleId, by: string, atMs: number) => {
      drop.run(rule);
      log.run(rule, by, atMs, null);
    }),
    history: () =>
      (history.all(most) as { rule: RuleId; who: string; at_ms: number; body: string | null }[]).map(
        ({ rule, who, at_ms, body }) => ({
          rule,
          by: who,
          atMs: at_ms,
          setting: body === null ? null : (JSON.parse(body) as RuleSetting),
        }),
      ),
  };
}
