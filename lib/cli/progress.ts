/** Where every operator stands in each ceremony: redrawn in place on a terminal, one line for each stage elsewhere. */
import type { Report } from '../local/committee.ts';

/** Stages in the order in which a ceremony passes them; other stages end it early. */
const STAGES = {
  keygen: ['AwaitingPublicKeys', 'AwaitingCommitments', 'AwaitingShares', 'AwaitingVerdicts', 'Succeeded'],
  signing: ['Signing', 'Succeeded'],
} as const;
export type CeremonyKind = keyof typeof STAGES;

const TITLES: Readonly<Record<CeremonyKind, string>> = { keygen: 'key generation', signing: 'signing' };
/** Above this many operators a coin is one line, not one line each. */
const MAX_LINES_PER_COIN = 7;
const REDRAW_MILLISECONDS = 60;

export interface Screen {
  write(text: string): void;
  readonly terminal: boolean;
  readonly colour: boolean;
  /** Character cells. */
  readonly columns: number;
  readonly rows: number;
}

interface Standing {
  stage: string;
  /** Position in {@link STAGES}; −1 before the first. */
  reached: number;
  /** Messages put on this operator's topic. */
  messages: number;
}

export class Progress {
  readonly #kind: CeremonyKind;
  readonly #coins: readonly string[];
  readonly #standings = new Map<string, Standing>();
  readonly #silent: number | undefined;
  readonly #operators: number;
  readonly #announced = new Map<string, number>();

  constructor(kind: CeremonyKind, coins: readonly string[], operators: number, silent?: number) {
    this.#kind = kind;
    this.#coins = coins;
    this.#operators = operators;
    this.#silent = silent;
    for (const coin of coins) {
      for (let operator = 1; operator <= operators; operator++) {
        this.#standings.set(key(coin, operator), {
          stage: operator === silent ? 'silent' : 'waiting',
          reached: -1,
          messages: 0,
        });
      }
    }
  }

  /** @returns the lines that became true of all operators: `btc key generation: all 3 operators reached AwaitingShares` */
  record({ operator, event, fields }: Report): string[] {
    const { kind, coin, stage } = fields;
    const standing = this.#standings.get(key(String(coin), operator));
    if (event !== 'Stage' || kind !== this.#kind || !standing || operator === this.#silent) return [];
    standing.stage = String(stage);
    standing.reached = Math.max(standing.reached, (STAGES[this.#kind] as readonly string[]).indexOf(standing.stage));
    return this.#newlyReached(String(coin));
  }

  countMessage(coin: string, operator: number): void {
    const standing = this.#standings.get(key(coin, operator));
    if (standing) standing.messages += 1;
  }

  /** At most one line for each coin and operator, each at most `columns` wide. */
  lines(screen: Screen): string[] {
    const perOperator = this.#operators <= MAX_LINES_PER_COIN && this.#coins.length * this.#operators + 1 < screen.rows;
    return this.#coins
      .flatMap((coin) => (perOperator ? this.#operatorLines(coin) : [this.#coinLine(coin)]))
      .map(([text, done]) => painted(text.slice(0, screen.columns - 1), done, screen.colour));
  }

  get title(): string {
    return TITLES[this.#kind];
  }

  #operatorLines(coin: string): [string, boolean][] {
    return this.#living(coin, true).map(({ operator, stage, reached, messages }) => {
      const name = operator === 1 ? coin.padEnd(5) : ''.padEnd(5);
      const text = `  ${name}operator ${operator}  ${this.#bar(reached)}  ${stage.padEnd(20)}${counted(messages)}`;
      return [text.trimEnd(), stage === 'Succeeded'];
    });
  }

  #coinLine(coin: string): [string, boolean] {
    const living = this.#living(coin, false);
    const slowest = Math.min(...living.map(({ reached }) => reached));
    const stages = [...new Set([...STAGES[this.#kind], ...living.map(({ stage }) => stage)])].flatMap((stage) => {
      const count = living.filter((each) => each.stage === stage).length;
      return count > 0 ? [`${stage} ${count}/${living.length}`] : [];
    });
    const messages = this.#living(coin, true).reduce((sum, each) => sum + each.messages, 0);
    return [
      `  ${coin.padEnd(5)}${this.#bar(slowest)}  ${stages.join(', ')}  ${counted(messages)}`,
      living.every(({ stage }) => stage === 'Succeeded'),
    ];
  }

  #bar(reached: number): string {
    const { length } = STAGES[this.#kind];
    return `${'●'.repeat(reached + 1)}${'○'.repeat(length - reached - 1)}`;
  }

  #living(coin: string, silentToo: boolean): (Standing & { readonly operator: number })[] {
    const operators = Array.from({ length: this.#operators }, (_, i) => i + 1);
    return operators.flatMap((operator) => {
      const standing = this.#standings.get(key(coin, operator));
      return standing && (silentToo || operator !== this.#silent) ? [{ operator, ...standing }] : [];
    });
  }

  #newlyReached(coin: string): string[] {
    const living = this.#living(coin, false);
    const slowest = Math.min(...living.map(({ reached }) => reached));
    const from = this.#announced.get(coin) ?? 0;
    this.#announced.set(coin, Math.max(from, slowest + 1));
    return STAGES[this.#kind]
      .slice(from, slowest + 1)
      .map((stage) => `${coin} ${this.title}: all ${living.length} operators reached ${stage}`);
  }
}

/** Draws one {@link Progress} at a time; what is drawn last stays. */
export class Board {
  readonly #screen: Screen;
  #progress: Progress | undefined;
  #drawn = 0;
  #drawnAt = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  begin(progress: Progress): void {
    this.#progress = progress;
    this.#drawn = 0;
    if (this.#screen.terminal) this.#screen.write(`\n${headed(progress.title, this.#screen.colour)}\n`);
    this.#redraw();
  }

  report(report: Report): void {
    const reached = this.#progress?.record(report) ?? [];
    if (!this.#screen.terminal) for (const line of reached) this.#screen.write(`${line}\n`);
    else if (performance.now() - this.#drawnAt > REDRAW_MILLISECONDS) this.#redraw();
  }

  countMessage(coin: string, operator: number): void {
    this.#progress?.countMessage(coin, operator);
  }

  end(): void {
    this.#redraw();
    this.#progress = undefined;
  }

  #redraw(): void {
    if (!this.#screen.terminal || !this.#progress) return;
    const lines = this.#progress.lines(this.#screen);
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[J` : '';
    this.#screen.write(`${back}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
    this.#drawnAt = performance.now();
  }
}

function headed(title: string, colour: boolean): string {
  const text = `${title.slice(0, 1).toUpperCase()}${title.slice(1)}`;
  return colour ? `\x1b[1m${text}\x1b[22m` : text;
}

function painted(text: string, done: boolean, colour: boolean): string {
  if (!colour) return text;
  return text
    .replace(/●+/, (dots) => `\x1b[${done ? 32 : 36}m${dots}\x1b[39m`)
    .replace(/○+/, (dots) => `\x1b[2m${dots}\x1b[22m`);
}

function counted(messages: number): string {
  return `${`${messages}`.padStart(5)} ${messages === 1 ? 'message' : 'messages'}`;
}

function key(coin: string, operator: number): string {
  return `${coin}/${operator}`;
}
