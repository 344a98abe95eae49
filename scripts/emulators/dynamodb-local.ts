/** DynamoDB Local, AWS's own engine for development and tests: a second judge of the store. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, freePort, launch, ROOT, run } from './engine.ts';

const VERSION = '3.1.0';
const FOLDER = join(ROOT, 'node_modules', '.cache', `dynamodb-local-${VERSION}`);

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>engine</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

/** Its own main class cannot be told to listen on loopback only. */
const LAUNCHER = `public class Launcher {
  public static void main(String[] args) throws Exception {
    var proxy = software.amazon.dynamodb.services.local.main.ServerRunner.createServerFromCommandLineArgs(args);
    var field = proxy.getClass().getDeclaredField("server");
    field.setAccessible(true);
    for (var connector : ((org.eclipse.jetty.server.Server) field.get(proxy)).getConnectors())
      ((org.eclipse.jetty.server.ServerConnector) connector).setHost("127.0.0.1");
    proxy.start();
    proxy.join();
  }
}
`;

/** @throws {EngineUnavailable} if Java 17 or Maven is missing, or the package cannot be had */
export async function startDynamoDbLocal({
  note = () => undefined,
}: {
  readonly note?: (line: string) => void;
} = {}): Promise<Engine> {
  await run('java', ['-version']);
  await install(note);
  const port = await freePort();
  const jars = join(FOLDER, 'jars');
  return launch({
    name: 'DynamoDB Local',
    version: VERSION,
    command: 'java',
    args: [
      '-Xmx512m',
      `-Dsqlite4java.library.path=${jars}`,
      '-cp',
      `${jars}/*`,
      join(FOLDER, 'Launcher.java'),
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', `${port}`],
    ],
    port,
    // Any answer will do: the engine refuses a request without a signature.
    ready: async (endpoint) => (await fetch(endpoint)).status > 0,
  });
}

/** Into a folder that gets its name when it is complete. */
async function install(note: (line: string) => void): Promise<void> {
  if (existsSync(FOLDER)) return;
  const making = `${FOLDER}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  writeFileSync(join(making, 'pom.xml'), POM);
  writeFileSync(join(making, 'Launcher.java'), LAUNCHER);
  note(`fetching DynamoDB Local ${VERSION} by Maven`);
  await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${join(making, 'jars')}`], making);
  renameSync(making, FOLDER);
}
