/** Who said what to whom: a line for each operator, an arrow for each statement, time from top to bottom. */
import type { CeremonyView } from '../lib/view/ceremony-view.ts';
import { Scroll, span } from './parts.tsx';
import { typeName } from './words.ts';

type Statement = CeremonyView['statements'][number];

interface Arrow {
  readonly from: number;
  readonly to: readonly number[];
  readonly type: Statement['type'];
  readonly sealed: boolean;
  readonly at: number | undefined;
}

const LEFT = 62;
const COLUMN = 104;
const TOP = 44;
const ROW = 30;
/** More would help nobody; the table below them has all. */
const MOST = 150;

export function Sequence({ view }: { readonly view: CeremonyView }) {
  const all = arrowsOf(view);
  if (all.length === 0) return <p class="empty">No statement has been recorded yet.</p>;
  const arrows = all.slice(0, MOST);
  const indexes = [...new Set([...view.signers, ...all.flatMap(({ from, to }) => [from, ...to])])].sort(
    (a, b) => a - b,
  );
  const x = (index: number) => LEFT + indexes.indexOf(index) * COLUMN + COLUMN / 2;
  const width = LEFT + indexes.length * COLUMN;
  const height = TOP + arrows.length * ROW + 12;
  const began = view.startedAt ?? 0;
  const title = `${all.length} statements between ${indexes.length} operators, in the order in which operator ${view.seenBy.index} recorded them`;
  return (
    <>
      <Scroll label="Messages as a diagram">
        <svg
          class="sequence"
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          height={height}
          role="img"
          aria-label={title}
        >
          <title>{title}</title>
          {indexes.map((index) => (
            <g key={index}>
              <line class="life" x1={x(index)} x2={x(index)} y1={TOP - 8} y2={height} />
              <text class="who" x={x(index)} y={16} text-anchor="middle">
                {index} {nameOf(view, index).slice(0, 11)}
              </text>
              <text class="label" x={x(index)} y={30} text-anchor="middle">
                {index === view.seenBy.index ? 'recorded here' : ''}
              </text>
            </g>
          ))}
          {arrows.map((arrow, i) => (
            <Drawn key={keyOf(arrow)} arrow={arrow} y={TOP + i * ROW + 20} x={x} began={began} />
          ))}
        </svg>
      </Scroll>
      <p class="muted">
        <span class="legend">Solid: signed, readable by all.</span>{' '}
        <span class="legend">Dashed: sealed to its reader.</span>{' '}
        {arrows.length < all.length && `The first ${MOST} of ${all.length}; all are in the table.`}
      </p>
      <details>
        <summary>The same as a table</summary>
        <Scroll label="Messages as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">After</th>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {all.map((arrow) => (
                <tr key={keyOf(arrow)}>
                  <td>{arrow.at === undefined ? '—' : span(arrow.at - began)}</td>
                  <td>{nameOf(view, arrow.from)}</td>
                  <td>{arrow.to.map((index) => nameOf(view, index)).join(', ') || 'itself'}</td>
                  <td>
                    {typeName(arrow.type)}
                    {arrow.sealed ? ', sealed' : ''}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </>
  );
}

interface DrawnProps {
  readonly arrow: Arrow;
  readonly y: number;
  readonly x: (index: number) => number;
  readonly began: number;
}

function Drawn({ arrow: { from, to, type, sealed, at }, y, x, began }: DrawnProps) {
  const start = x(from);
  const ends = to.map(x);
  const least = Math.min(start, ...ends);
  const most = Math.max(start, ...ends);
  const first = ends[0];
  // Above the first stretch of the line, on the side where it goes.
  const toward = first === undefined ? start + COLUMN / 2 : start + Math.sign(first - start) * (COLUMN / 2);
  return (
    <g class={sealed ? 'arrow sealed' : 'arrow'}>
      <title>{`${typeName(type)}${sealed ? ', sealed,' : ''} from ${from} to ${to.join(', ') || 'itself'}`}</title>
      {at !== undefined && (
        <text class="label" x={LEFT - 10} y={y + 4} text-anchor="end">
          {span(at - began)}
        </text>
      )}
      <line x1={least} x2={most} y1={y} y2={y} />
      <circle cx={start} cy={y} r={3.5} />
      {ends.map((end) => {
        const back = end > start ? -8 : 8;
        return <path key={end} d={`M${end} ${y}l${back} -4.5v9z`} />;
      })}
      <text
        class="what"
        x={to.length === 0 ? start + 8 : toward}
        y={y - 5}
        text-anchor={to.length === 0 ? 'start' : 'middle'}
      >
        {typeName(type)}
      </text>
    </g>
  );
}

/** What went to several readers is one arrow with several heads. */
function arrowsOf({ statements }: CeremonyView): Arrow[] {
  const arrows = new Map<string, Arrow & { readonly readers: Set<number> }>();
  for (const { from, to, type, slot, sealed, at } of statements) {
    const key = `${from} ${type} ${slot}`;
    const known = arrows.get(key);
    const readers = known?.readers ?? new Set<number>();
    for (const index of to) if (index !== from) readers.add(index);
    const first = known?.at === undefined ? at : Math.min(known.at, at ?? known.at);
    arrows.set(key, {
      from,
      to: [...readers].sort((a, b) => a - b),
      readers,
      type,
      sealed: sealed || (known?.sealed ?? false),
      at: first,
    });
  }
  return [...arrows.values()].sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
}

function keyOf({ from, to, type, at }: Arrow): string {
  return `${from} ${type} ${to.join()} ${at}`;
}

export function nameOf({ rounds, seenBy, leaders }: CeremonyView, index: number): string {
  const all = [seenBy, ...leaders, ...rounds.flatMap(({ arrivals, missing }) => [...arrivals, ...missing])];
  return all.find((each) => each.index === index)?.identity ?? `operator ${index}`;
}
