/** What of an asset is in circulation, and how it went: as far as this operator's signing service has seen it. */
import type { AssetView } from '../lib/view/committee-view.ts';
import { Scroll } from './parts.tsx';
import { refusalWords } from './words.ts';

/** Digits in groups, so that a long amount can be read. */
function grouped(amount: string): string {
  return amount.replace(/\B(?=(?:\d{3})+$)/g, '\u202f');
}

export function Supply({ asset }: { readonly asset: AssetView }) {
  const { issued, redeemed, outstanding, transactions, unseen, epoch, capPerEpoch } = asset;
  const share = shareOf(outstanding, issued);
  return (
    <>
      <h3>In circulation{epoch === undefined ? '' : `, epoch ${epoch}`}</h3>
      <figure class="supply">
        <dl class="numbers">
          <div>
            <dt>issued</dt>
            <dd>{grouped(issued)}</dd>
          </div>
          <div>
            <dt>redeemed</dt>
            <dd>{grouped(redeemed)}</dd>
          </div>
          <div>
            <dt>outstanding</dt>
            <dd>{grouped(outstanding)}</dd>
          </div>
        </dl>
        {share !== undefined && (
          <svg viewBox="0 0 240 14" width="240" role="img" aria-label={`${share} % of what was issued is outstanding`}>
            <title>{`${share} % of what was issued is outstanding`}</title>
            <rect class="track" x={0.5} y={0.5} width={239} height={13} rx={6.5} />
            {share > 0 && <rect class="filled" x={0} y={0} width={Math.max(14, share * 2.4)} height={14} rx={7} />}
          </svg>
        )}
      </figure>
      <p class="muted">
        {transactions} transaction{transactions === 1 ? '' : 's'} completed
        {capPerEpoch === undefined ? '' : `; up to ${grouped(capPerEpoch)} may be brought in`}.
        {unseen > 0 &&
          ` Of ${unseen} only the certificate is here, from other services: what they moved is in no sum, so these are not the whole.`}
      </p>
      <Refusals asset={asset} />
    </>
  );
}

/** Whole percent; nothing where nothing was issued, or more is redeemed than was seen to be issued. */
function shareOf(outstanding: string, issued: string): number | undefined {
  const all = BigInt(issued);
  const left = BigInt(outstanding);
  return all > 0n && left >= 0n ? Number((left * 100n) / all) : undefined;
}

function Refusals({ asset: { asset, refused } }: { readonly asset: AssetView }) {
  if (refused.length === 0) return <p class="empty">Nothing was refused here.</p>;
  return (
    <>
      <h3>Refused</h3>
      <Scroll label={`What was refused of ${asset}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col" class="number">
                Times
              </th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {refused.map(({ reason, count }) => (
              <tr key={reason}>
                <th scope="row">{reason}</th>
                <td class="number">{count}</td>
                <td class="muted">{refusalWords(reason)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
