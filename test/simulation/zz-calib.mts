import { ed25519 } from '@noble/curves/ed25519.js';

const k = new Uint8Array(32).fill(7),
  m = new Uint8Array(100);
export function calib() {
  for (let i = 0; i < 30; i++) ed25519.sign(m, k);
  const c = process.cpuUsage();
  for (let i = 0; i < 200; i++) ed25519.sign(m, k);
  const u = process.cpuUsage(c);
  return (u.user + u.system) / 1000 / 200;
}
