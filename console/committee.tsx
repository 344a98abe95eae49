/** The committee as one operator sees it: health first, then what has to be done, then everything else. */
import type { CommitteeDocument } from '../lib/cli/console-document.ts';
import type { CeremonySummary } from '../lib/view/ceremony-view.ts';
import type { AssetView, CoinView, CommitteeView } from '../lib/view/committee-view.ts';
import { Health } from './health.tsx';
import { Badge, dollars, Id, Scroll, span, Time, visible } from './parts.tsx';
import { Supply } from './tokens.tsx';
import { kindName, operatorState, stageName, stageTone } from './words.ts';

interface Props {
  readonly document: CommitteeDocument;
  /** A report holds one ceremony, so that others are not links in it. */
  readonly linked: boolean;
}

export function Committee({ document: { view, costs }, linked }: Props) {
  const { assets = [] } = view;
  return (
    <>
      <Findings view={view} />
      {view.coins.length + assets.length === 0 && <p class="empty">This operator has no coin yet.</p>}
      {view.coins.map((coin) => (
        <Coin key={coin.coin} coin={coin} readAt={view.readAt} linked={linked} />
      ))}
      {assets.map((asset) => (
        <Coin key={asset.asset} coin={asset.service} asset={asset} readAt={view.readAt} linked={linked} />
      ))}
      <Letters view={view} />
      <Costs costs={costs} />
      {view.committee && (
        <footer>
          Committee <Id value={view.committee.id} what="committee id" /> on {view.committee.network}
        </footer>
      )}
    </>
  );
}

const LEVELS = { alarm: 'bad', warning: 'warn', note: 'quiet' } as const;

function Findings({ view: { findings } }: { readonly view: CommitteeView }) {
  if (findings.length === 0) return null;
  return (
    <section class="card" aria-labelledby="findings">
      <h2 id="findings">To be done</h2>
      <ul class="findings">
        {findings.map(({ level, coin, what, todo }) => (
          <li key={`${coin} ${what}`}>
            <Badge tone={LEVELS[level]}>{level}</Badge>
            <p>
              {coin && !what.startsWith(`${coin}:`) ? `${coin}: ` : ''}
              {what}
            </p>
            <p class="todo">{todo}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Coin({
  coin,
  asset,
  readAt,
  linked,
}: {
  readonly coin: CoinView;
  /** Where the coin is an asset, and its processor a signing service. */
  readonly asset?: AssetView;
  readonly readAt: number;
  readonly linked: boolean;
}) {
  const { health, suite, operators } = coin;
  const id = `coin-${coin.coin}`;
  const can = asset ? 'issue' : 'sign';
  return (
    <section class="card" aria-labelledby={id}>
      <header class="row">
        <h2 id={id}>{coin.coin}</h2>
        <Badge tone={health.canSign ? 'good' : 'bad'}>{`${health.canSign ? 'can' : 'cannot'} ${can}`}</Badge>
        {suite && <span class="muted">{suite}</span>}
      </header>
      <p class="lead">{sentenceOf(coin)}</p>
      <Health coin={coin} />
      {asset && <Supply asset={asset} />}
      <h3>{asset ? 'Services' : 'Operators'}</h3>
      <Scroll label={`${asset ? 'Services' : 'Operators'} of ${coin.coin}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{asset ? 'Service' : 'Operator'}</th>
              <th scope="col">State</th>
              <th scope="col">Last heard</th>
            </tr>
          </thead>
          <tbody>
            {operators.map((operator) => {
              const { index, identity, state, lastHeardAt } = operator;
              const { tone, words } = operatorState(operator);
              return (
                <tr key={index}>
                  <th scope="row">
                    <span class="index">{index}</span> {identity}
                  </th>
                  <td>
                    <Badge tone={tone}>{words}</Badge>
                  </td>
                  <td>
                    {lastHeardAt === undefined ? (
                      <span class="muted">{state === 'self' ? 'these are its rows' : 'not lately'}</span>
                    ) : (
                      `${span((readAt - lastHeardAt) * 1_000)} ago`
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <Keys coin={coin} />
      <Pending coin={coin} />
      <h3>Ceremonies</h3>
      <Ceremonies all={[...coin.open, ...coin.recent]} linked={linked} />
    </section>
  );
}

/** The heading names the coin already. */
function sentenceOf({ coin, health: { sentence } }: CoinView): string {
  const rest = sentence.startsWith(`${coin}: `) ? sentence.slice(coin.length + 2) : sentence;
  return `${rest.charAt(0).toUpperCase()}${rest.slice(1)}`;
}

function Keys({ coin: { keys, coin } }: { readonly coin: CoinView }) {
  return (
    <>
      <h3>Keys</h3>
      {keys.length === 0 ? (
        <p class="empty">No key yet.</p>
      ) : (
        <Scroll label={`Keys of ${coin}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">Status</th>
                <th scope="col">Threshold</th>
                <th scope="col">Address</th>
              </tr>
            </thead>
            <tbody>
              {keys.map(({ keyId, status, address, t, signers }) => (
                <tr key={keyId}>
                  <th scope="row">
                    <Id value={keyId} what="key id" />
                  </th>
                  <td>
                    <Badge tone={status === 'certified' ? 'good' : 'warn'}>{status}</Badge>
                  </td>
                  <td>{t && signers ? `${t} of ${signers.length}` : '—'}</td>
                  <td>{address ? <Id value={address} what="address" /> : '—'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Pending({ coin: { pending } }: { readonly coin: CoinView }) {
  if (pending.length === 0) return null;
  return (
    <>
      <h3>Others ask for</h3>
      <ul class="findings">
        {pending.map(({ ceremony, kind, askedBy, purpose, messages, expiresAt, cannot }) => (
          <li key={ceremony}>
            <p>
              {kindName(kind)}, asked by {askedBy.map(({ identity }) => identity).join(', ')}, until{' '}
              <Time at={expiresAt * 1_000} />
            </p>
            {purpose !== undefined && (
              <p>
                Purpose: <q>{visible(purpose)}</q>
              </p>
            )}
            {messages?.map(({ hex, text }) => (
              <p key={hex} class="long">
                <code>{text === undefined ? hex : visible(text)}</code>
              </p>
            ))}
            <p class="todo">
              {cannot ?? (
                <>
                  If it is meant: <code>coterie approve {ceremony}</code>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

function Ceremonies({ all, linked }: { readonly all: readonly CeremonySummary[]; readonly linked: boolean }) {
  if (all.length === 0) return <p class="empty">None yet. Ask for a key with coterie keygen.</p>;
  return (
    <ul class="ceremonies">
      {all.map((each) => {
        const { ceremony, kind, stage, purpose, sentence, updatedAt } = each;
        const name = `${kindName(kind)} ${ceremony.slice(2, 10)}`;
        return (
          <li key={ceremony}>
            <div class="row">
              {linked ? <a href={`#/ceremony/${ceremony}`}>{name}</a> : <strong>{name}</strong>}
              <Badge tone={stageTone(each)}>{stageName(stage)}</Badge>
              <span class="muted">{updatedAt !== undefined && <Time at={updatedAt} />}</span>
            </div>
            <p class="muted">
              {sentence}
              {purpose ? ` — ${visible(purpose)}` : ''}
            </p>
          </li>
        );
      })}
    </ul>
  );
}

function Letters({ view: { deadLetters } }: { readonly view: CommitteeView }) {
  const full = deadLetters?.filter(({ count }) => count > 0) ?? [];
  if (!deadLetters || full.length === 0) return null;
  return (
    <section class="card" aria-labelledby="letters">
      <h2 id="letters">Messages set aside</h2>
      <ul>
        {full.map(({ segment, queue, count }) => (
          <li key={queue}>
            {count} of {segment} <span class="muted">{queue}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Costs({ costs }: { readonly costs: CommitteeDocument['costs'] }) {
  if (costs.length === 0) return null;
  return (
    <section class="card" aria-labelledby="costs">
      <h2 id="costs">Costs</h2>
      <p class="muted">At list prices, in US dollars, for all operators of a coin together; if deployed on AWS.</p>
      <Scroll label="Costs by coin">
        <table>
          <thead>
            <tr>
              <th scope="col">Coin</th>
              <th scope="col" class="number">
                One signature
              </th>
              <th scope="col" class="number">
                One key
              </th>
              <th scope="col" class="number">
                Quiet month
              </th>
            </tr>
          </thead>
          <tbody>
            {costs.map(({ coin, operators, threshold, oneSignature, oneKey, quietMonth }) => (
              <tr key={coin}>
                <th scope="row">
                  {coin}, {threshold} of {operators}
                </th>
                <td class="number">{dollars(oneSignature)}</td>
                <td class="number">{dollars(oneKey)}</td>
                <td class="number">{dollars(quietMonth)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <details>
        <summary>What is counted</summary>
        <ul>
          {costs[0]?.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </details>
    </section>
  );
}
