/** How far a coin is from its threshold: one mark for each operator, and the line that must be reached. */
import type { CoinView } from '../lib/view/committee-view.ts';

const STEP = 34;

export function Health({ coin }: { readonly coin: CoinView }) {
  const { health, operators, t } = coin;
  if (t === undefined || operators.length === 0) return null;
  const able = health.able.length;
  const step = Math.min(STEP, 640 / operators.length);
  const radius = step * 0.32;
  const width = operators.length * step;
  const line = t * step;
  return (
    <figure class="health">
      <svg
        viewBox={`-4 0 ${width + 8} 62`}
        width={width + 8}
        role="img"
        aria-label={`${able} of ${operators.length} operators able, ${t} needed`}
      >
        <title>{`${able} of ${operators.length} operators able, ${t} needed`}</title>
        {operators.map(({ index }, i) => {
          const x = i * step + step / 2;
          return (
            <g key={index} class={i < able ? 'able' : 'unable'}>
              <circle cx={x} cy={24} r={radius} />
              {step > 20 && (
                <text x={x} y={28} text-anchor="middle">
                  {i < able ? '✓' : '✕'}
                </text>
              )}
            </g>
          );
        })}
        <line class="threshold" x1={line} x2={line} y1={4} y2={46} />
        <text class="label" x={Math.min(Math.max(line, 30), Math.max(width - 26, 30))} y={59} text-anchor="middle">
          {t} needed
        </text>
      </svg>
      <dl class="numbers">
        <div>
          <dt>able</dt>
          <dd>
            {able}
            <small> of {operators.length}</small>
          </dd>
        </div>
        <div>
          <dt>needed</dt>
          <dd>{t}</dd>
        </div>
        <div>
          <dt>{health.mayFallSilent < 0 ? 'missing' : 'may fall silent'}</dt>
          <dd>{Math.abs(health.mayFallSilent)}</dd>
        </div>
      </dl>
    </figure>
  );
}
