import { z } from 'zod';

/** The parts of updates that are read, checked before they are believed. Shapes: core.telegram.org/bots/api. */

const id = z.number().int();

export const userSchema = z.object({
  id,
  is_bot: z.boolean(),
  first_name: z.string(),
  last_name: z.string().optional(),
  username: z.string().optional(),
});
export type User = z.infer<typeof userSchema>;

const chatSchema = z.object({ id, type: z.string(), title: z.string().optional(), is_forum: z.boolean().optional() });
export type Chat = z.infer<typeof chatSchema>;

const entitySchema = z.object({
  type: z.string(),
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  url: z.string().optional(),
  user: userSchema.optional(),
});
export type Entity = z.infer<typeof entitySchema>;

const fileSchema = z.object({
  file_id: z.string().min(1),
  file_unique_id: z.string(),
  file_name: z.string().optional(),
  mime_type: z.string().optional(),
  file_size: z.number().int().nonnegative().optional(),
});

const photoSchema = z.object({
  file_id: z.string().min(1),
  file_unique_id: z.string(),
  width: z.number(),
  height: z.number(),
  file_size: z.number().int().nonnegative().optional(),
});

const repliedSchema = z.object({
  message_id: id,
  from: userSchema.optional(),
  sender_chat: z.unknown().optional(),
  text: z.string().optional(),
  caption: z.string().optional(),
  forum_topic_created: z.unknown().optional(),
});

/** A message with what people put into messages; everything else about it is left aside. */
export const messageSchema = z.object({
  message_id: id,
  message_thread_id: id.optional(),
  is_topic_message: z.boolean().optional(),
  from: userSchema.optional(),
  sender_chat: z.unknown().optional(),
  is_automatic_forward: z.boolean().optional(),
  date: z.number(),
  edit_date: z.number().optional(),
  chat: chatSchema,
  reply_to_message: repliedSchema.optional(),
  media_group_id: z.string().optional(),
  text: z.string().optional(),
  entities: z.array(entitySchema).optional(),
  caption: z.string().optional(),
  caption_entities: z.array(entitySchema).optional(),
  rich_message: z.object({ blocks: z.array(z.unknown()) }).optional(),
  document: fileSchema.optional(),
  photo: z.array(photoSchema).optional(),
  video: fileSchema.optional(),
  animation: fileSchema.optional(),
  audio: fileSchema.optional(),
  voice: fileSchema.optional(),
  video_note: fileSchema.optional(),
  migrate_to_chat_id: id.optional(),
  migrate_from_chat_id: id.optional(),
});
export type Message = z.infer<typeof messageSchema>;

const buttonSchema = z.object({ text: z.string(), callback_data: z.string().optional() });

/** The message of a press may be gone: then it has a date of 0 and neither text nor buttons. */
const pressedMessageSchema = z.object({
  message_id: id,
  message_thread_id: id.optional(),
  is_topic_message: z.boolean().optional(),
  date: z.number(),
  chat: chatSchema,
  reply_markup: z.object({ inline_keyboard: z.array(z.array(buttonSchema)) }).optional(),
});

export const callbackSchema = z.object({
  id: z.string().min(1),
  from: userSchema,
  message: pressedMessageSchema.optional(),
  data: z.string().optional(),
});
export type Callback = z.infer<typeof callbackSchema>;

/** Which update it is; its content is read by the schema of its kind. */
export const updateSchema = z.looseObject({
  update_id: id,
  message: z.unknown().optional(),
  edited_message: z.unknown().optional(),
  callback_query: z.unknown().optional(),
});

/** The kinds of updates Telegram is asked for, in polling and for the webhook. */
export const wantedUpdates = ['message', 'edited_message', 'callback_query'] as const;
