import { describe, expect, it } from 'vitest';
import { createTopicTemplates } from './topic-template.ts';

describe('topic templates', () => {
  it('folds what has the shape of an id', () => {
    const templates = createTopicTemplates();
    expect(templates.templateOf('factory/hannover/rio/17/io')).toBe('factory/hannover/rio/+/io');
    expect(templates.templateOf('jobs/550e8400-e29b-41d4-a716-446655440000/done')).toBe('jobs/+/done');
    expect(templates.templateOf('dev/a1b2c3d4e5/up')).toBe('dev/+/up');
    expect(templates.templateOf('door/facade/open')).toBe('door/facade/open');
    expect(templates.templateOf('/x')).toBe('/x');
  });
  it('leaves a template as it is', () => {
    expect(createTopicTemplates().templateOf('factory/hannover/rio/{id}/io')).toBe('factory/hannover/rio/{id}/io');
  });
  it('folds the place where more than 50 different values stood, and only that', () => {
    const templates = createTopicTemplates();
    for (let i = 0; i < 50; i++) expect(templates.templateOf(`shop/till-${i}x/sale`)).toBe(`shop/till-${i}x/sale`);
    expect(templates.templateOf('shop/till-50x/sale')).toBe('shop/+/sale');
    expect(templates.templateOf('shop/till-1x/sale')).toBe('shop/+/sale');
    expect(templates.templateOf('yard/till-1x/sale')).toBe('yard/till-1x/sale');
  });
  it('remembers after a restart what is kept apart already', () => {
    const templates = createTopicTemplates();
    for (let i = 0; i < 50; i++) templates.learn(`shop/till-${i}x/sale`);
    expect(templates.templateOf('shop/till-50x/sale')).toBe('shop/+/sale');
  });
});
