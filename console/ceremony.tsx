/** One ceremony: how it stands, who is to blame and how that is proven, its stages by operator, its messages. */
import type { CeremonyDocument } from '../lib/cli/console-document.ts';
import type { CeremonyView } from '../lib/view/ceremony-view.ts';
import { Badge, Id, Scroll, span, Time, visible } from './parts.tsx';
import { nameOf, Sequence } from './sequence.tsx';
import { kindName, ROUND_STATES, stageName, stageTone, typeName } from './words.ts';

export function Ceremony({ document: { view, proofs } }: { readonly document: CeremonyDocument }) {
  return (
    <>
      <Standing view={view} />
      <Blame view={view} proofs={proofs} />
      <section class="card" aria-labelledby="stages">
        <h2 id="stages">Stages</h2>
        <Bars view={view} />
        <Stages view={view} />
      </section>
      <section class="card" aria-labelledby="messages">
        <h2 id="messages">Messages</h2>
        <Sequence view={view} />
      </section>
      <Facts view={view} />
    </>
  );
}

function Standing({ view }: { readonly view: CeremonyView }) {
  const { kind, stage, sentence, todo, startedAt, updatedAt, outcome, t, signers, coin, seenBy } = view;
  return (
    <section class="card" aria-labelledby="standing">
      <header class="row">
        <h2 id="standing">
          {kindName(kind)}, {coin}
        </h2>
        <Badge tone={stageTone(view)}>{stageName(stage)}</Badge>
        {!view.authorised && <Badge tone="warn">not authorised here</Badge>}
      </header>
      <p class="lead">{`${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`}</p>
      {view.purpose !== undefined && (
        <p>
          Purpose: <q>{visible(view.purpose)}</q>
        </p>
      )}
      {todo !== undefined && <p class="todo">{todo}</p>}
      <p class="muted">
        {t} of {signers.length}, as operator {seenBy.index} ({seenBy.identity}) saw it
        {startedAt !== undefined && (
          <>
            , from <Time at={startedAt} />
          </>
        )}
        {startedAt !== undefined && outcome && updatedAt !== undefined && `, took ${span(updatedAt - startedAt)}`}
      </p>
    </section>
  );
}

function Blame({ view, proofs }: { readonly view: CeremonyView; readonly proofs: CeremonyDocument['proofs'] }) {
  const { culprits, unresponsive } = view;
  if (culprits.length === 0 && unresponsive.length === 0) return null;
  return (
    <section class="card blame" aria-labelledby="blame">
      <h2 id="blame">Evidence</h2>
      {culprits.map(({ index, identity, reason, proof, sentence }) => {
        const stored = proofs.find((each) => each.index === index);
        return (
          <article key={`${index} ${reason}`}>
            <h3>
              Operator {index} ({identity}) <Badge tone="bad">{proof ? 'proven' : 'blamed, proof not stored'}</Badge>
            </h3>
            <p>{sentence}</p>
            {stored && (
              <details>
                <summary>The proof, for coterie verify</summary>
                <Scroll label={`Proof against operator ${index}`}>
                  <pre>{JSON.stringify(stored.evidence, null, 1)}</pre>
                </Scroll>
              </details>
            )}
          </article>
        );
      })}
      {unresponsive.length > 0 && (
        <p>
          Waited for in vain: {unresponsive.map(({ index, identity }) => `operator ${index} (${identity})`).join(', ')}.
          Silence proves nothing.
        </p>
      )}
    </section>
  );
}

const NAME = 108;
const SCALE = 420;
const ROW = 26;

/** Each stage from its first statement to its last. */
function Bars({ view }: { readonly view: CeremonyView }) {
  const { rounds, startedAt } = view;
  const seen = rounds.filter(({ firstAt }) => firstAt !== undefined);
  if (startedAt === undefined || seen.length === 0) return null;
  const end = Math.max(
    startedAt + 1,
    ...seen.map(({ lastAt }) => lastAt ?? 0),
    view.outcome ? (view.updatedAt ?? 0) : 0,
  );
  const x = (at: number) => NAME + ((at - startedAt) / (end - startedAt)) * SCALE;
  const height = seen.length * ROW + 24;
  const title = `Stages over ${span(end - startedAt)}: ${seen.map(({ type, firstAt, lastAt }) => `${typeName(type)} from ${span((firstAt ?? 0) - startedAt)} to ${span((lastAt ?? 0) - startedAt)}`).join('; ')}`;
  return (
    <Scroll label="Stages over time">
      <svg
        class="bars"
        viewBox={`0 0 ${NAME + SCALE + 12} ${height}`}
        width={NAME + SCALE + 12}
        role="img"
        aria-label={title}
      >
        <title>{title}</title>
        {seen.map(({ type, firstAt = startedAt, lastAt = firstAt, arrivals, status }, i) => (
          <g key={type} class={status === 'cut' ? 'cut' : ''}>
            <text x={NAME - 10} y={i * ROW + 17} text-anchor="end">
              {typeName(type)}
            </text>
            <line class="grid" x1={NAME} x2={NAME + SCALE} y1={i * ROW + 13} y2={i * ROW + 13} />
            <rect
              x={x(firstAt) - 2}
              y={i * ROW + 8}
              width={Math.max(4, x(lastAt) - x(firstAt) + 4)}
              height={10}
              rx={5}
            />
            {arrivals.map(
              ({ index, at }) =>
                at !== undefined && (
                  <circle key={index} cx={x(at)} cy={i * ROW + 13} r={2.5}>
                    <title>{`operator ${index} after ${span(at - startedAt)}`}</title>
                  </circle>
                ),
            )}
          </g>
        ))}
        <text class="label" x={NAME} y={height - 4}>
          0
        </text>
        <text class="label" x={NAME + SCALE} y={height - 4} text-anchor="end">
          {span(end - startedAt)}
        </text>
      </svg>
    </Scroll>
  );
}

/** Operators down, stages across. */
function Stages({ view }: { readonly view: CeremonyView }) {
  const { rounds, signers, startedAt } = view;
  const indexes = [
    ...new Set([...signers, ...rounds.flatMap(({ arrivals }) => arrivals.map(({ index }) => index))]),
  ].sort((a, b) => a - b);
  return (
    <Scroll label="Stages by operator">
      <table class="stages">
        <thead>
          <tr>
            <th scope="col">Operator</th>
            {rounds.map(({ type, status }) => {
              const { tone, words } = ROUND_STATES[status];
              return (
                <th scope="col" key={type}>
                  {typeName(type)}
                  <Badge tone={tone}>{words}</Badge>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {indexes.map((index) => (
            <tr key={index}>
              <th scope="row">
                <span class="index">{index}</span> {nameOf(view, index)}
              </th>
              {rounds.map(({ type, arrivals, missing, status }) => {
                const arrival = arrivals.find((each) => each.index === index);
                if (arrival)
                  return (
                    <td key={type}>
                      ✓{' '}
                      {arrival.at !== undefined && startedAt !== undefined && <>after {span(arrival.at - startedAt)}</>}
                    </td>
                  );
                const absent = missing.some((each) => each.index === index) && status !== 'ahead';
                return (
                  <td key={type} class={absent ? 'absent' : 'muted'}>
                    {absent ? '✕ missing' : '—'}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Facts({ view }: { readonly view: CeremonyView }) {
  const { ceremony, requestId, suite, keyId, expiresAt, outcome, messages } = view;
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Particulars</h2>
      <dl class="facts">
        <dt>Ceremony</dt>
        <dd>
          <Id value={ceremony} what="ceremony id" />
        </dd>
        <dt>Request</dt>
        <dd>
          <Id value={requestId} what="request id" />
        </dd>
        <dt>Suite</dt>
        <dd>{suite}</dd>
        {keyId !== undefined && (
          <>
            <dt>Key</dt>
            <dd>
              <Id value={keyId} what="key id" />
            </dd>
          </>
        )}
        {outcome?.address !== undefined && (
          <>
            <dt>Address</dt>
            <dd>
              <Id value={outcome.address} what="address" />
            </dd>
          </>
        )}
        <dt>Expires</dt>
        <dd>
          <Time at={expiresAt * 1_000} />
        </dd>
        {messages?.map((message, i) => (
          <>
            <dt key={`t${message}`}>Message {i + 1}</dt>
            <dd key={`d${message}`} class="long">
              <code>{message.length > 400 ? `${message.slice(0, 400)}…` : message}</code>
            </dd>
          </>
        ))}
        {outcome?.signatures?.map((signature, i) => (
          <>
            <dt key={`t${signature}`}>
              {outcome.late ? 'Late signature' : 'Signature'} {i + 1}
            </dt>
            <dd key={`d${signature}`}>
              <Id value={signature} what="signature" />
            </dd>
          </>
        ))}
      </dl>
    </section>
  );
}
