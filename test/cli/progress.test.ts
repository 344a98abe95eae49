import { describe, expect, it } from 'vitest';
import { Board, Progress, type Screen } from '../../lib/cli/progress.ts';
import type { Report } from '../../lib/local/committee.ts';

const KEYGEN = ['AwaitingPublicKeys', 'AwaitingCommitments', 'AwaitingShares', 'AwaitingVerdicts', 'Succeeded'];

function stage(operator: number, name: string, coin = 'btc', kind = 'keygen'): Report {
  return { operator, role: coin, event: 'Stage', fields: { ceremony: '0x00', kind, stage: name, coin } };
}

function screen(change: Partial<Screen> = {}): Screen & { readonly text: () => string } {
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
  };
  return { write, terminal: true, colour: false, columns: 100, rows: 40, text: () => written.join(''), ...change };
}

describe('progress', () => {
  it('says that a stage is reached when the last operator reaches it, once', () => {
    const progress = new Progress('keygen', ['btc'], 3);
    const lines = KEYGEN.slice(0, 3).flatMap((name) =>
      [1, 2, 3].flatMap((operator) => progress.record(stage(operator, name))),
    );
    expect(lines).toEqual(KEYGEN.slice(0, 3).map((name) => `btc key generation: all 3 operators reached ${name}`));
    expect(progress.record(stage(1, 'AwaitingShares'))).toEqual([]);
  });

  it('says every stage in between when an operator is far behind', () => {
    const progress = new Progress('keygen', ['btc'], 2);
    for (const name of KEYGEN) progress.record(stage(1, name));
    expect(progress.record(stage(2, 'AwaitingShares'))).toHaveLength(3);
    expect(progress.record(stage(2, 'Succeeded'))).toHaveLength(2);
  });

  it('does not wait for a silent operator', () => {
    const progress = new Progress('signing', ['btc'], 3, 2);
    progress.record(stage(1, 'Signing', 'btc', 'signing'));
    expect(progress.record(stage(2, 'Signing', 'btc', 'signing'))).toEqual([]);
    expect(progress.record(stage(3, 'Signing', 'btc', 'signing'))).toEqual([
      'btc signing: all 2 operators reached Signing',
    ]);
    expect(progress.lines(screen())[1]).toMatch(/operator 2 .* silent +0 messages$/);
  });

  it('ignores reports of other ceremonies, coins and kinds', () => {
    const progress = new Progress('keygen', ['btc'], 1);
    expect(progress.record(stage(1, 'Signing', 'btc', 'signing'))).toEqual([]);
    expect(progress.record(stage(1, 'AwaitingPublicKeys', 'sol'))).toEqual([]);
    expect(progress.record({ ...stage(1, 'AwaitingPublicKeys'), event: 'Halted' })).toEqual([]);
  });

  it('has a line for each operator up to seven, and one for each coin above that or on a small terminal', () => {
    expect(new Progress('keygen', ['btc', 'sol'], 7).lines(screen())).toHaveLength(14);
    expect(new Progress('keygen', ['btc', 'sol'], 8).lines(screen())).toHaveLength(2);
    expect(new Progress('keygen', ['btc', 'sol'], 7).lines(screen({ rows: 12 }))).toHaveLength(2);
  });

  it('is never wider than the terminal', () => {
    const progress = new Progress('keygen', ['btc'], 20);
    for (let operator = 1; operator <= 20; operator++) progress.record(stage(operator, KEYGEN[operator % 5] ?? ''));
    for (const line of progress.lines(screen({ columns: 40 }))) expect(line.length).toBeLessThan(40);
  });

  it('shows an early end instead of hiding it', () => {
    const progress = new Progress('keygen', ['btc'], 2);
    progress.record(stage(1, 'Failed'));
    expect(progress.lines(screen())[0]).toContain('Failed');
  });
});

describe('board', () => {
  it('redraws in place on a terminal', () => {
    const to = screen();
    const board = new Board(to);
    board.begin(new Progress('keygen', ['btc'], 2));
    board.report(stage(1, 'AwaitingPublicKeys'));
    board.countMessage('btc', 1);
    board.end();
    expect(to.text()).toMatch(/^\nKey generation\n/);
    expect(to.text()).toContain('\x1b[2A\x1b[J');
    expect(to.text()).toMatch(/operator 1 {2}●○○○○ {2}AwaitingPublicKeys {6}1 message\n/);
  });

  it('writes plain lines, without escapes, where there is no terminal', () => {
    const to = screen({ terminal: false });
    const board = new Board(to);
    board.begin(new Progress('keygen', ['btc'], 2));
    for (const operator of [1, 2]) board.report(stage(operator, 'AwaitingPublicKeys'));
    board.end();
    expect(to.text()).toBe('btc key generation: all 2 operators reached AwaitingPublicKeys\n');
  });

  it('paints only where colour is wanted', () => {
    const progress = new Progress('keygen', ['btc'], 1);
    progress.record(stage(1, 'AwaitingShares'));
    expect(progress.lines(screen({ colour: false })).join('')).not.toContain('\x1b');
    expect(progress.lines(screen({ colour: true })).join('')).toContain('\x1b[36m●●●');
  });
});
