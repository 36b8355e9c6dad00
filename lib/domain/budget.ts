import type { BudgetRule } from './rule.ts';
import { globMatches, topicFilterMatches } from './topic-filter.ts';
import type { Millis } from './units.ts';

export interface HopToBudget {
  toService: string;
  toApplication: string;
  destination: string;
  floorMs: Millis;
}

/** A request path as far as budgets ask about it. */
export interface PathToBudget {
  /** root span name */
  rootName: string;
  /** of the root */
  application: string;
  /** services called on it */
  services: string[];
  /** destinations crossed on it */
  destinations: string[];
}

export interface Budget {
  ms: Millis;
  /** hop: a rule's addedMs; path: the tightest totalMs of the paths through it; default: 50 ms or twice the floor */
  from: 'hop' | 'path' | 'default';
  /** the rule in words: 'topic factory/+/button/#', 'path "button press"', 'default' */
  rule: string;
}

/** Where nobody said anything a hop may add so much, or twice its floor where that is more. */
export const leastBudgetMs = 50;

/** What one hop may add. `paths`: the paths through it. */
export function budgetOf(rules: readonly BudgetRule[], hop: HopToBudget, paths: readonly PathToBudget[]): Budget {
  const own = rules.find((rule) => rule.addedMs !== undefined && matchesHop(rule, hop));
  if (own) return { ms: own.addedMs!, from: 'hop', rule: spokenRule(own) };
  // Nobody has seen a path through it yet: then it stands for itself
  const through =
    paths.length > 0
      ? paths
      : [{ rootName: '', application: hop.toApplication, services: [hop.toService], destinations: [hop.destination] }];
  let tightest: Budget | null = null;
  for (const path of through) {
    const budget = pathBudgetOf(rules, path);
    if (budget && (tightest === null || budget.ms < tightest.ms)) tightest = budget;
  }
  return tightest ?? { ms: Math.max(leastBudgetMs, 2 * hop.floorMs), from: 'default', rule: 'default' };
}

/** What a path may take end to end: the first totalMs rule that matches; null when nobody said. */
export function pathBudgetOf(rules: readonly BudgetRule[], path: PathToBudget): Budget | null {
  const rule = rules.find((r) => r.totalMs !== undefined && matchesPath(r, path));
  return rule ? { ms: rule.totalMs!, from: 'path', rule: spokenRule(rule) } : null;
}

/** What requests cross each hop. */
interface PathThroughHop {
  hop: bigint;
  rootName: string;
  application: string;
}

/** Paths by hop, with the services and destinations that budgets ask about. `hops`: those that may be asked about. */
export function pathsByHop(
  hopPaths: Iterable<PathThroughHop>,
  hops: Iterable<{ hop: bigint; to: { service: string }; destination: string }>,
): Map<bigint, PathToBudget[]> {
  const identities = new Map([...hops].map((hop) => [hop.hop, hop]));
  const paths = new Map<string, PathToBudget>();
  const byHop = new Map<bigint, PathToBudget[]>();
  for (const row of hopPaths) {
    const hop = identities.get(row.hop);
    if (!hop) continue;
    const key = pathKey(row);
    let path = paths.get(key);
    if (!path) {
      path = { rootName: row.rootName, application: row.application, services: [], destinations: [] };
      paths.set(key, path);
    }
    if (!path.services.includes(hop.to.service)) path.services.push(hop.to.service);
    if (hop.destination !== '' && !path.destinations.includes(hop.destination)) path.destinations.push(hop.destination);
    const of = byHop.get(row.hop);
    if (of) of.push(path);
    else byHop.set(row.hop, [path]);
  }
  return byHop;
}

export const pathKey = (path: { rootName: string; application: string }): string =>
  `${path.application}\u001f${path.rootName}`;

function matchesHop(rule: BudgetRule, hop: HopToBudget): boolean {
  if (rule.topic !== undefined) return hop.destination !== '' && topicFilterMatches(rule.topic, hop.destination);
  if (rule.service !== undefined) return globMatches(rule.service, hop.toService);
  if (rule.application !== undefined) return rule.application === hop.toApplication;
  return false;
}

function matchesPath(rule: BudgetRule, path: PathToBudget): boolean {
  if (rule.path !== undefined) return globMatches(rule.path, path.rootName);
  if (rule.topic !== undefined) return path.destinations.some((d) => d !== '' && topicFilterMatches(rule.topic!, d));
  if (rule.service !== undefined) return path.services.some((s) => globMatches(rule.service!, s));
  return rule.application !== undefined && rule.application === path.application;
}

function spokenRule(rule: BudgetRule): string {
  if (rule.path !== undefined) return `path "${rule.path}"`;
  if (rule.topic !== undefined) return `topic ${rule.topic}`;
  if (rule.service !== undefined) return `service ${rule.service}`;
  return `application ${rule.application}`;
}
