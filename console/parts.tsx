/** Small parts that every view uses: identifiers, times, states. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export function shortId(id: string): string {
  return id.length > 18 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
}

/** Shortened for the eye, whole for the clipboard. */
export function Id({ value, what }: { readonly value: string; readonly what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void copyText(value).then((done) => {
      setCopied(done);
      setTimeout(() => setCopied(false), 1_500);
    });
  };
  return (
    <button type="button" class="id" title={value} onClick={copy}>
      <code>{shortId(value)}</code>
      <span class="copy" aria-live="polite">
        {copied ? 'copied' : 'copy'}
      </span>
      <span class="unseen"> {what}</span>
    </button>
  );
}

/** A page from a file may have no clipboard: the old way works there. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** The reader's own clock in sight, UTC behind it. @param at milliseconds UTC */
export function Time({ at }: { readonly at: number }) {
  const utc = new Date(at).toISOString();
  return (
    <time dateTime={utc} title={utc}>
      {local.format(at)}
    </time>
  );
}

/** `230 ms`, `4.1 s`, `3 min`. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

export type Tone = 'good' | 'bad' | 'warn' | 'quiet';
const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', warn: '!', quiet: '·' };

/** A word with a sign before it: never a colour alone. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

/** Wide things scroll in their own box, which the keyboard can reach. */
export function Scroll({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable with the keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

/** `$0.000041`: small amounts have two digits that are not 0. */
export function dollars(amount: number): string {
  const decimals = amount === 0 || amount >= 0.1 ? 2 : Math.min(12, 1 - Math.floor(Math.log10(amount)));
  return `$${amount.toFixed(decimals)}`;
}

/** A request's text on one line with its invisible characters shown: it must not be able to look like something else. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
