import { inviteUrl } from '../adapters/discord/invite.ts';
import { createRest } from '../adapters/discord/rest.ts';
import { askApplication } from '../adapters/discord/sign-in.ts';
import { DeliveryError } from './contracts/chat-adapter.ts';
import { AppError } from './contracts/errors.ts';

/**
 * The address that adds the bot to a server. The application is `DISCORD_APPLICATION_ID`, else Discord is asked whose the bot token is.
 * Throws DH-100 when neither variable is set or the id is none, and DH-700 when Discord does not say.
 */
export async function discordInvite(env: NodeJS.ProcessEnv): Promise<string> {
  const { DISCORD_APPLICATION_ID: id, DISCORD_BOT_TOKEN: token, DISCORD_API_URL: apiUrl } = env;
  if (id) {
    if (!/^\d{17,20}$/.test(id)) {
      throw new AppError('DH-100', { problems: 'DISCORD_APPLICATION_ID must be the 17 to 20 digits of the application' });
    }
    return inviteUrl(id);
  }
  if (!token) {
    const problems =
      'DISCORD_APPLICATION_ID is needed (developer portal → the application → General Information), or DISCORD_BOT_TOKEN to look it up';
    throw new AppError('DH-100', { problems });
  }
  try {
    const application = await askApplication(createRest({ token, apiUrl: apiUrl || undefined }));
    return inviteUrl(application.id);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const { failure } = error;
    const detail = 'detail' in failure ? failure.detail : `too many calls, wait ${Math.ceil(failure.retryAfterMs / 1000)} s`;
    const remedy =
      failure.kind === 'not_permitted'
        ? 'Check DISCORD_BOT_TOKEN: developer portal → Bot → Reset Token. With DISCORD_APPLICATION_ID nobody has to be asked.'
        : 'Check the network, or set DISCORD_APPLICATION_ID: then nobody has to be asked.';
    throw new AppError('DH-700', { platform: 'Discord', detail, remedy }, { cause: error });
  }
}
