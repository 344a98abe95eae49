import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timers } from '../../lib/local/timers.ts';

test('timers fire by time, then by age, except those that were cancelled', () => {
  const plan = fc.array(fc.record({ time: fc.integer({ min: 0, max: 20 }), cancelled: fc.boolean() }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(plan, fc.integer({ min: 0, max: 20 }), (timers, now) => {
      const heap = new Timers();
      const fired: number[] = [];
      const cancels = timers.map(({ time }, i) => heap.at(time, () => fired.push(i)));
      timers.forEach(({ cancelled }, i) => {
        if (cancelled) cancels[i]?.();
      });
      const left = timers.map((timer, i) => ({ ...timer, i })).filter(({ cancelled }) => !cancelled);
      const order = left.toSorted((a, b) => a.time - b.time || a.i - b.i);
      expect(heap.next()).toBe(order[0]?.time);
      heap.fire(now);
      expect(fired).toEqual(order.filter(({ time }) => time <= now).map(({ i }) => i));
      heap.fire(20);
      expect(fired).toEqual(order.map(({ i }) => i));
    }),
  );
});

test('thousands of cancelled timers do not disturb the others', () => {
  const heap = new Timers();
  const fired: number[] = [];
  const cancels: (() => void)[] = [];
  for (let i = 0; i < 10_000; i++) {
    const cancel = heap.at((i * 7919) % 10_000, () => fired.push((i * 7919) % 10_000));
    if (i % 10 !== 0) cancels.push(cancel);
  }
  for (const cancel of cancels) {
    cancel();
    cancel();
  }
  heap.fire(10_000);
  expect(fired).toHaveLength(1000);
  expect(fired).toEqual(fired.toSorted((a, b) => a - b));
});
