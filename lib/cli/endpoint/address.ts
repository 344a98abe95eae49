/** A socket of the file system, or a port on loopback; never another host. */
import { shown, UsageError } from '../usage.ts';

export type Address =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'port'; readonly port: number };

/** `4100`, `http://127.0.0.1:4100`, `./coterie.sock`. @param option what it is called where it was given @throws {UsageError} */
export function addressOf(option: string, text: string): Address {
  const url = /^http:\/\/(?:127\.0\.0\.1|localhost):([0-9]{1,5})\/?$/.exec(text)?.[1];
  const digits = url ?? (/^[0-9]+$/.test(text) ? text : undefined);
  if (digits !== undefined) {
    const port = Number(digits);
    if (port >= 1 && port <= 65_535) return { kind: 'port', port };
    throw new UsageError(`${option}: expected a port from 1 to 65535, got ${shown(text)}`);
  }
  if (text === '' || /^[a-z]+:\/\//i.test(text))
    throw new UsageError(`${option}: expected the path of a socket or a port on loopback, got ${shown(text)}`);
  // sun_path has 108 bytes on Linux and 104 elsewhere, its end included.
  if (Buffer.byteLength(text) > 103)
    throw new UsageError(
      `${option}: expected the path of a socket of at most 103 bytes, got ${Buffer.byteLength(text)}`,
    );
  return { kind: 'socket', path: text };
}

export function addressText(address: Address): string {
  return address.kind === 'socket' ? address.path : `127.0.0.1:${address.port}`;
}
