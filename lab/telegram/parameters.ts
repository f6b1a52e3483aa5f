/**
 * Parameters of the methods and fields of the objects in them, as the Bot API publishes them (10.1, with what 10.2 and 10.3 added to
 * them). `name:kind`, where a kind is `int`, `text`, `flag`, `file`, `any` or the name of an object below; `a|b` is either. A line that
 * begins with `=` lists the objects one of which is meant.
 */
export const METHODS: Readonly<Record<string, string>> = {
  answerCallbackQuery: 'callback_query_id:text text:text show_alert:flag url:text cache_time:int',
  closeForumTopic: 'chat_id:int|text message_thread_id:int',
  closeGeneralForumTopic: 'chat_id:int|text',
  createForumTopic: 'chat_id:int|text name:text icon_color:int icon_custom_emoji_id:text',
  deleteForumTopic: 'chat_id:int|text message_thread_id:int',
  deleteMessage: 'chat_id:int|text message_id:int',
  deleteMessages: 'chat_id:int|text message_ids:int',
  deleteMyCommands: 'scope:BotCommandScope language_code:text',
  deleteWebhook: 'drop_pending_updates:flag',
  editForumTopic: 'chat_id:int|text message_thread_id:int name:text icon_custom_emoji_id:text',
  editGeneralForumTopic: 'chat_id:int|text name:text',
  editMessageCaption:
    'business_connection_id:text chat_id:int|text message_id:int inline_message_id:text caption:text ' +
    'parse_mode:text caption_entities:MessageEntity show_caption_above_media:flag ' +
    'reply_markup:InlineKeyboardMarkup',
  editMessageReplyMarkup:
    'business_connection_id:text chat_id:int|text message_id:int inline_message_id:text ' + 'reply_markup:InlineKeyboardMarkup',
  editMessageText:
    'business_connection_id:text chat_id:int|text message_id:int inline_message_id:text text:text ' +
    'parse_mode:text entities:MessageEntity link_preview_options:LinkPreviewOptions ' +
    'rich_message:InputRichMessage reply_markup:InlineKeyboardMarkup',
  getChat: 'chat_id:int|text',
  getChatAdministrators: 'chat_id:int|text return_bots:flag',
  getChatMember: 'chat_id:int|text user_id:int',
  getChatMemberCount: 'chat_id:int|text',
  getChatMenuButton: 'chat_id:int',
  getFile: 'file_id:text',
  getForumTopicIconStickers: '',
  getMe: '',
  getMyCommands: 'scope:BotCommandScope language_code:text',
  getMyDefaultAdministratorRights: 'for_channels:flag',
  getMyDescription: 'language_code:text',
  getMyName: 'language_code:text',
  getMyShortDescription: 'language_code:text',
  getUpdates: 'offset:int limit:int timeout:int allowed_updates:text',
  getWebhookInfo: '',
  leaveChat: 'chat_id:int|text',
  pinChatMessage: 'business_connection_id:text chat_id:int|text message_id:int disable_notification:flag',
  reopenForumTopic: 'chat_id:int|text message_thread_id:int',
  reopenGeneralForumTopic: 'chat_id:int|text',
  sendChatAction: 'business_connection_id:text chat_id:int|text message_thread_id:int action:text',
  sendDocument:
    'business_connection_id:text chat_id:int|text message_thread_id:int direct_messages_topic_id:int ' +
    'document:file|text thumbnail:file|text caption:text parse_mode:text caption_entities:MessageEntity ' +
    'disable_content_type_detection:flag disable_notification:flag protect_content:flag ' +
    'allow_paid_broadcast:flag message_effect_id:text suggested_post_parameters:SuggestedPostParameters ' +
    'reply_parameters:ReplyParameters ' +
    'reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply ' +
    'ephemeral_message_parameters:EphemeralMessageParameters',
  sendMediaGroup:
    'business_connection_id:text chat_id:int|text message_thread_id:int direct_messages_topic_id:int ' +
    'media:InputMediaAudio|InputMediaDocument|InputMediaLivePhoto|InputMediaPhoto|InputMediaVideo ' +
    'disable_notification:flag protect_content:flag allow_paid_broadcast:flag message_effect_id:text ' +
    'reply_parameters:ReplyParameters',
  sendMessage:
    'business_connection_id:text chat_id:int|text message_thread_id:int direct_messages_topic_id:int text:text ' +
    'parse_mode:text entities:MessageEntity link_preview_options:LinkPreviewOptions disable_notification:flag ' +
    'protect_content:flag allow_paid_broadcast:flag message_effect_id:text ' +
    'suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters ' +
    'reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply ' +
    'ephemeral_message_parameters:EphemeralMessageParameters',
  sendMessageDraft:
    'chat_id:int message_thread_id:int draft_id:int text:text parse_mode:text entities:MessageEntity ' +
    'can_stop:flag keep_on_stop:flag',
  sendPhoto:
    'business_connection_id:text chat_id:int|text message_thread_id:int direct_messages_topic_id:int ' +
    'photo:file|text caption:text parse_mode:text caption_entities:MessageEntity show_caption_above_media:flag ' +
    'has_spoiler:flag disable_notification:flag protect_content:flag allow_paid_broadcast:flag ' +
    'message_effect_id:text suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters ' +
    'reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply ' +
    'ephemeral_message_parameters:EphemeralMessageParameters',
  sendRichMessage:
    'business_connection_id:text chat_id:int|text message_thread_id:int direct_messages_topic_id:int ' +
    'rich_message:InputRichMessage disable_notification:flag protect_content:flag allow_paid_broadcast:flag ' +
    'message_effect_id:text suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters ' +
    'reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply ' +
    'ephemeral_message_parameters:EphemeralMessageParameters',
  sendRichMessageDraft:
    'chat_id:int message_thread_id:int draft_id:int rich_message:InputRichMessage can_stop:flag ' + 'keep_on_stop:flag',
  setChatDescription: 'chat_id:int|text description:text',
  setChatMenuButton: 'chat_id:int menu_button:MenuButton',
  setChatTitle: 'chat_id:int|text title:text',
  setMessageReaction: 'chat_id:int|text message_id:int reaction:ReactionType is_big:flag',
  setMyCommands: 'commands:BotCommand scope:BotCommandScope language_code:text',
  setMyDefaultAdministratorRights: 'rights:ChatAdministratorRights for_channels:flag',
  setMyDescription: 'description:text language_code:text',
  setMyName: 'name:text language_code:text',
  setMyShortDescription: 'short_description:text language_code:text',
  setWebhook:
    'url:text certificate:file ip_address:text max_connections:int allowed_updates:text ' +
    'drop_pending_updates:flag secret_token:text',
  unpinAllChatMessages: 'chat_id:int|text',
  unpinChatMessage: 'business_connection_id:text chat_id:int|text message_id:int',
};

export const OBJECTS: Readonly<Record<string, string>> = {
  BotCommand: 'command:text description:text is_ephemeral:flag',
  BotCommandScope:
    '' +
    '=BotCommandScopeDefault|BotCommandScopeAllPrivateChats|BotCommandScopeAllGroupChats|BotCommandScopeAllChatAdministrators|BotCommandScopeChat|BotCommandScopeChatAdministrators|BotCommandScopeChatMember',
  BotCommandScopeAllChatAdministrators: 'type:text',
  BotCommandScopeAllGroupChats: 'type:text',
  BotCommandScopeAllPrivateChats: 'type:text',
  BotCommandScopeChat: 'type:text chat_id:int|text',
  BotCommandScopeChatAdministrators: 'type:text chat_id:int|text',
  BotCommandScopeChatMember: 'type:text chat_id:int|text user_id:int',
  BotCommandScopeDefault: 'type:text',
  CallbackGame: '',
  ChatAdministratorRights:
    'is_anonymous:flag can_manage_chat:flag can_delete_messages:flag can_manage_video_chats:flag ' +
    'can_restrict_members:flag can_promote_members:flag can_change_info:flag can_invite_users:flag ' +
    'can_post_stories:flag can_edit_stories:flag can_delete_stories:flag can_post_messages:flag ' +
    'can_edit_messages:flag can_pin_messages:flag can_manage_topics:flag can_manage_direct_messages:flag ' +
    'can_manage_tags:flag',
  CopyTextButton: 'text:text',
  EphemeralMessageParameters: 'receiver_user_id:int callback_query_id:text replace_callback_query_message:flag',
  ForceReply: 'force_reply:flag input_field_placeholder:text selective:flag',
  InlineKeyboardButton:
    'text:text icon_custom_emoji_id:text style:text url:text callback_data:text web_app:WebAppInfo ' +
    'login_url:LoginUrl switch_inline_query:text switch_inline_query_current_chat:text ' +
    'switch_inline_query_chosen_chat:SwitchInlineQueryChosenChat copy_text:CopyTextButton ' +
    'callback_game:CallbackGame pay:flag disabled:any',
  InlineKeyboardMarkup: 'inline_keyboard:InlineKeyboardButton force_reply:flag',
  InputMediaAudio:
    'type:text media:text thumbnail:text caption:text parse_mode:text caption_entities:MessageEntity ' +
    'duration:int performer:text title:text',
  InputMediaDocument:
    'type:text media:text thumbnail:text caption:text parse_mode:text caption_entities:MessageEntity ' +
    'disable_content_type_detection:flag',
  InputMediaLivePhoto:
    'type:text media:text photo:text caption:text parse_mode:text caption_entities:MessageEntity ' +
    'show_caption_above_media:flag has_spoiler:flag',
  InputMediaPhoto:
    'type:text media:text caption:text parse_mode:text caption_entities:MessageEntity ' +
    'show_caption_above_media:flag has_spoiler:flag',
  InputMediaVideo:
    'type:text media:text thumbnail:text cover:text start_timestamp:int caption:text parse_mode:text ' +
    'caption_entities:MessageEntity show_caption_above_media:flag width:int height:int duration:int ' +
    'supports_streaming:flag has_spoiler:flag',
  InputRichMessage: 'html:text markdown:text is_rtl:flag skip_entity_detection:flag blocks:any media:any',
  KeyboardButton:
    'text:text icon_custom_emoji_id:text style:text request_users:KeyboardButtonRequestUsers ' +
    'request_chat:KeyboardButtonRequestChat request_managed_bot:KeyboardButtonRequestManagedBot ' +
    'request_contact:flag request_location:flag request_poll:KeyboardButtonPollType web_app:WebAppInfo',
  KeyboardButtonPollType: 'type:text',
  KeyboardButtonRequestChat:
    'request_id:int chat_is_channel:flag chat_is_forum:flag chat_has_username:flag chat_is_created:flag ' +
    'user_administrator_rights:ChatAdministratorRights bot_administrator_rights:ChatAdministratorRights ' +
    'bot_is_member:flag request_title:flag request_username:flag request_photo:flag',
  KeyboardButtonRequestManagedBot: 'request_id:int suggested_name:text suggested_username:text',
  KeyboardButtonRequestUsers:
    'request_id:int user_is_bot:flag user_is_premium:flag max_quantity:int request_name:flag ' +
    'request_username:flag request_photo:flag',
  LinkPreviewOptions: 'is_disabled:flag url:text prefer_small_media:flag prefer_large_media:flag show_above_text:flag',
  LoginUrl: 'url:text forward_text:text bot_username:text request_write_access:flag',
  MenuButton: '=MenuButtonCommands|MenuButtonWebApp|MenuButtonDefault',
  MenuButtonCommands: 'type:text',
  MenuButtonDefault: 'type:text',
  MenuButtonWebApp: 'type:text text:text web_app:WebAppInfo',
  MessageEntity:
    'type:text offset:int length:int url:text user:User language:text custom_emoji_id:text unix_time:int ' +
    'date_time_format:text',
  ReactionType: '=ReactionTypeEmoji|ReactionTypeCustomEmoji|ReactionTypePaid',
  ReactionTypeCustomEmoji: 'type:text custom_emoji_id:text',
  ReactionTypeEmoji: 'type:text emoji:text',
  ReactionTypePaid: 'type:text',
  ReplyKeyboardMarkup:
    'keyboard:KeyboardButton is_persistent:flag resize_keyboard:flag one_time_keyboard:flag ' +
    'input_field_placeholder:text selective:flag force_reply:flag',
  ReplyKeyboardRemove: 'remove_keyboard:flag selective:flag',
  ReplyParameters:
    'message_id:int chat_id:int|text allow_sending_without_reply:flag quote:text quote_parse_mode:text ' +
    'quote_entities:MessageEntity quote_position:int checklist_task_id:int poll_option_id:text',
  SuggestedPostParameters: 'price:SuggestedPostPrice send_date:int',
  SuggestedPostPrice: 'currency:text amount:int',
  SwitchInlineQueryChosenChat:
    'query:text allow_user_chats:flag allow_bot_chats:flag allow_group_chats:flag allow_channel_chats:flag',
  User:
    'id:int is_bot:flag first_name:text last_name:text username:text language_code:text is_premium:flag ' +
    'added_to_attachment_menu:flag can_join_groups:flag can_read_all_group_messages:flag ' +
    'supports_guest_queries:flag supports_inline_queries:flag can_connect_to_business:flag ' +
    'has_main_web_app:flag has_topics_enabled:flag allows_users_to_create_topics:flag can_manage_bots:flag ' +
    'supports_join_request_queries:flag',
  WebAppInfo: 'url:text',
};
