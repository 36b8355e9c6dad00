/**
 * Folds ids in topic names to `+`, so that a hop is a kind of message and not one message: by the shape of a segment, and by how many
 * different values stood at its place. Bounded: at most `maxParents` places are watched; beyond that only shapes fold.
 */
export interface TopicTemplates {
  templateOf(topic: string): string;
  /** A template that exists already (out of the hops table): what was folded stays folded after a restart. */
  learn(template: string): void;
}

const maxValues = 50;
const maxParents = 10_000;
const maxSegments = 32;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const digits = /^\d+$/;
// Eight or more hex digits, with at least one figure among them: 'deadbeef' may be an id, 'facade' and 'feedback' are words
const hex = /^(?=.*\d)[0-9a-f]{8,}$/i;

export const looksLikeId = (segment: string): boolean =>
  digits.test(segment) || hex.test(segment) || uuid.test(segment);

/** A name that a sender already gave as a template: {id}, :id, + and # stay as they are. */
export const isTemplate = (topic: string): boolean => /[{+#]/.test(topic) || /(?:^|\/):/.test(topic);

export function createTopicTemplates(): TopicTemplates {
  // template of the levels above -> values seen below it, or 'folded'
  const below = new Map<string, Set<string> | 'folded'>();

  const segmentOf = (parent: string, segment: string): string => {
    const values = below.get(parent);
    if (values === 'folded') return '+';
    if (values === undefined) {
      if (below.size < maxParents) below.set(parent, new Set([segment]));
      return segment;
    }
    if (values.has(segment)) return segment;
    if (values.size >= maxValues) {
      below.set(parent, 'folded');
      return '+';
    }
    values.add(segment);
    return segment;
  };

  return {
    templateOf(topic) {
      if (isTemplate(topic)) return topic;
      const segments = topic.split('/');
      let parent = '';
      segments.slice(0, maxSegments).forEach((segment, level) => {
        parent += `${level === 0 ? '' : '/'}${looksLikeId(segment) ? '+' : segmentOf(parent, segment)}`;
      });
      return segments.length > maxSegments ? `${parent}/#` : parent;
    },
    learn(template) {
      let parent = '';
      template
        .split('/')
        .slice(0, maxSegments)
        .forEach((segment, level) => {
          const values = below.get(parent);
          // A `+` may come of a shape or of a number of values: only the values that were kept say which
          if (segment !== '+' && values !== 'folded' && (values !== undefined || below.size < maxParents)) {
            below.set(parent, (values ?? new Set<string>()).add(segment));
          }
          parent += `${level === 0 ? '' : '/'}${segment}`;
        });
    },
  };
}
