/** What was asked of the committee, and how it ended: who still owes an outcome, and which keys came of it. */
import type { Coin } from '../local/committee.ts';
import type { MultisigEvent } from '../messages/events.ts';
import type { Hex } from '../messages/hex.ts';
import { type CeremonyParameters, ceremonyId } from '../messages/parameters.ts';

export interface Asked {
  readonly coin: Coin;
  readonly ceremony: Hex;
  readonly parameters: CeremonyParameters;
  /** Operators from whom a last word is expected. */
  readonly owing: Set<number>;
  /** Resolves when nobody owes one. */
  readonly ended: Promise<void>;
  /** Of a key generation that succeeded anywhere. */
  keyId?: Hex;
  /** Why it did not succeed. */
  reason?: string;
}

interface Open extends Asked {
  ended: Promise<void>;
  end(): void;
  /** Who owes a last word or has said it. */
  readonly told: Set<number>;
}

export class AskedCeremonies {
  readonly #all = new Map<Hex, Open>();
  readonly #dead = new Set<number>();

  /** Asked again, a ceremony stays what it is; only who owes an answer can grow. */
  add(coin: Coin, parameters: CeremonyParameters, operators: readonly number[]): Asked {
    const ceremony = ceremonyId(parameters);
    const record: Open = this.#all.get(ceremony) ?? {
      coin,
      ceremony,
      parameters,
      owing: new Set(),
      told: new Set(),
      ended: Promise.resolve(),
      end: () => {},
    };
    this.#all.set(ceremony, record);
    const asked = operators.filter((operator) => !this.#dead.has(operator) && !record.told.has(operator));
    if (asked.length > 0 && record.owing.size === 0)
      record.ended = new Promise<void>((resolve) => {
        record.end = resolve;
      });
    for (const operator of asked) {
      record.told.add(operator);
      record.owing.add(operator);
    }
    return record;
  }

  /** The newest key generation, of this coin if one is given. */
  latestKeygen(coin?: Coin): Asked | undefined {
    return this.keygens.filter((each) => coin === undefined || each.coin === coin).at(-1);
  }

  get keygens(): Asked[] {
    return [...this.#all.values()].filter(({ parameters }) => parameters.kind === 'keygen');
  }

  keyMaker(keyId: Hex): Asked | undefined {
    return this.keygens.find((each) => each.keyId === keyId);
  }

  /** Whoever died owes nothing more. */
  died(operator: number): void {
    this.#dead.add(operator);
    for (const record of this.#all.values()) settle(record, operator);
  }

  hear(event: MultisigEvent, operator: number): void {
    if ('KeygenOutcome' in event) {
      const { ceremony, keyId, result, reason } = event.KeygenOutcome;
      const record = this.#all.get(ceremony);
      if (!record) return;
      if (result === 'succeeded' && keyId !== undefined) record.keyId = keyId;
      else record.reason = `${result}: ${reason ?? 'no reason given'}`;
      // Unresolved is provisional, but may stay so for ever: whoever waits for the end of the input does not wait for that.
      settle(record, operator);
    } else if ('SigningOutcome' in event) {
      const record = this.#all.get(event.SigningOutcome.ceremony);
      if (record && event.SigningOutcome.final) settle(record, operator);
    } else if ('Refused' in event && event.Refused.reason !== 'Repeated') {
      const { requestId, reason, detail } = event.Refused;
      const record = [...this.#all.values()]
        .filter((each) => each.parameters.requestId === requestId && each.owing.has(operator))
        .at(-1);
      if (!record) return;
      record.reason = `${reason}: ${detail}`;
      settle(record, operator);
      // Asked again, it may take it.
      record.told.delete(operator);
    }
  }

  async allEnded(): Promise<void> {
    await Promise.all([...this.#all.values()].map(({ ended }) => ended));
  }
}

function settle(record: Open, operator: number): void {
  if (record.owing.delete(operator) && record.owing.size === 0) record.end();
}
