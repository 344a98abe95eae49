/** The key of an asset as its certificate states it, decoded for whoever verifies credentials or signs them: wallets, gateways and services alike. */
import { Coconut } from '../coconut/coconut.ts';
import { decodePublicKey, type PublicKey, type ServiceKey, type VerificationKey } from '../coconut/keys.ts';
import { concat } from '../messages/bytes.ts';
import { ATTRIBUTES, type CoconutCertificate, type CoconutKey } from '../messages/certificate.ts';
import { fromHex, type Hex } from '../messages/hex.ts';

/** An asset's key, ready for use. */
export interface AssetKey {
  /** 32 bytes: of the ceremony that made the key and all that was agreed in it. */
  readonly keyId: Hex;
  readonly certificate: CoconutCertificate;
  /** q = 2, t of n. */
  readonly coconut: Coconut;
  /** Its id is {@link AssetKey.keyId}. */
  readonly verificationKey: VerificationKey;
  /** One for each participant, ascending by the index of its operator in the committee file. */
  readonly serviceKeys: readonly ServiceKey[];
}

/** Decoding takes milliseconds for each point, and a certificate never changes. */
const known = new Map<Hex, AssetKey>();
const KNOWN = 16;

/**
 * @param keyId and @param certificate as `verifyCertificate` accepted them
 * @throws {CoconutError} if a key is not made of points of the right groups, which no honest participant confirms
 */
export function assetKeyOf(keyId: Hex, certificate: CoconutCertificate): AssetKey {
  const before = known.get(keyId);
  if (before) return before;
  const { parameters, verificationKey, serviceKeys } = certificate;
  const { t, signers } = parameters;
  const key: AssetKey = {
    keyId,
    certificate,
    coconut: Coconut.create({ attributes: ATTRIBUTES, threshold: t, total: signers.length }),
    verificationKey: { id: fromHex(keyId), ...publicKey(verificationKey) },
    serviceKeys: signers.flatMap((index, i) => {
      const service = serviceKeys[i];
      return service ? [{ index, ...publicKey(service) }] : [];
    }),
  };
  if (known.size >= KNOWN) known.clear();
  known.set(keyId, key);
  return key;
}

function publicKey({ alpha, beta, betaTilde }: CoconutKey): PublicKey {
  return decodePublicKey(concat(...[alpha, ...beta, ...betaTilde].map(fromHex)), ATTRIBUTES);
}
