/**
 * What a wallet's maker needs, in one import: `import { Wallet, invoice, … } from 'coterie/wallet'`.
 *
 * ```ts
 * const committee = …;                                    // parseCommittee(file): which services there are
 * const key = assetKeyOf(keyId, certificate);             // as the services announced it, verified by `verifyCertificate`
 * const gateway: GatewayPort = new SqsGateway({ … });     // or any other way to the services' queues
 * const wallet = await Wallet.open({ seed, committee, asset: 'usd', key, gateway, verifier: await mclVerifier() });
 *
 * const asked = await wallet.invoice(40n);                // for others to pay, as JSON
 * await other.pay(asked);
 * await wallet.receive(asked);
 * await wallet.withdraw({ amount: '25', recipient: 'btc:bc1…', memo: '' });
 * ```
 *
 * The seed, 32 bytes, is the money. Everything else can be forgotten: a wallet that is opened without a cache asks the services.
 */
export { SqsGateway, type SqsGatewayOptions } from '../client/gateway.ts';
export { mclVerifier } from '../coconut/mcl-engine.ts';
export { nobleVerifier } from '../coconut/noble-engine.ts';
export type { Verifier } from '../coconut/verifier.ts';
export { type AssetKey, assetKeyOf } from '../coconut-keygen/asset-key.ts';
export { verifyCertificate } from '../messages/certificate.ts';
export { Committee, parseCommittee } from '../messages/committee.ts';
export { QuorumRefused } from '../signing-service/certificate.ts';
export { NetworkRefused } from '../signing-service/network.ts';
export type { WalletCache } from './cache.ts';
export type { GatewayPort, RequestName } from './gateway.ts';
export { type Invoice, InvoiceRefused, invoice } from './invoice.ts';
export { RecoveryIncomplete } from './recovery.ts';
export {
  type DepositRequest,
  type Done,
  InsufficientFunds,
  NotPaid,
  type Token,
  Wallet,
  type WalletSetting,
} from './wallet.ts';
