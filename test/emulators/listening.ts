import type { Launch } from '../../scripts/emulators/engine.ts';

/** The smallest engine: a server that says its environment, with a child of its own, and no ear for a polite end. */
export function listening(port: number, host = '127.0.0.1'): Launch {
  const server = `
    process.on('SIGTERM', () => undefined);
    require('node:child_process').spawn('sleep', ['600']);
    require('node:http').createServer((_, response) => response.end(JSON.stringify(process.env))).listen(${port}, '${host}');`;
  return {
    name: 'listening',
    version: '1',
    command: process.execPath,
    args: ['-e', server],
    port,
    ready: async (endpoint) => (await fetch(endpoint)).ok,
  };
}
