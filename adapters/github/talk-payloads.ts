import { z } from 'zod';

/** What the adapter reads of GitHub's answers and webhooks; whatever else is in them is not looked at. */

export const accountSchema = z.object({ id: z.number().int(), login: z.string().min(1), type: z.string().optional() });

const written = {
  /** Null: the account is gone. */
  user: accountSchema.nullish(),
  body: z.string().nullish(),
  author_association: z.string().optional(),
};

export const issueSchema = z.object({
  ...written,
  number: z.number().int().positive(),
  title: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  comments: z.number().int().optional(),
  node_id: z.string().optional(),
  /** Present: the issue is a pull request. */
  pull_request: z.unknown().optional(),
});
export type IssueAnswer = z.infer<typeof issueSchema>;

export const commentSchema = z.object({
  ...written,
  id: z.number().int(),
  created_at: z.string(),
  updated_at: z.string(),
  node_id: z.string().optional(),
  /** In answers of REST; in webhooks the issue stands beside. */
  issue_url: z.string().optional(),
  html_url: z.string().optional(),
});
export type CommentAnswer = z.infer<typeof commentSchema>;

export const lineCommentSchema = z.object({
  ...written,
  id: z.number().int(),
  created_at: z.string(),
  updated_at: z.string(),
  node_id: z.string().optional(),
  pull_request_url: z.string().optional(),
  path: z.string(),
  line: z.number().int().nullish(),
  original_line: z.number().int().nullish(),
  diff_hunk: z.string().optional(),
});
export type LineCommentAnswer = z.infer<typeof lineCommentSchema>;

export const reviewSchema = z.object({
  ...written,
  id: z.number().int(),
  node_id: z.string().optional(),
  /** Absent: nobody but its author sees it yet. */
  submitted_at: z.string().nullish(),
  updated_at: z.string().nullish(),
});
export type ReviewAnswer = z.infer<typeof reviewSchema>;

const numbered = z.object({ number: z.number().int().positive() });

/** A delivery of one of the five events in which people say something. */
export const deliverySchema = z.object({
  action: z.string(),
  repository: z.object({ id: z.number().int(), full_name: z.string().min(3) }),
  sender: accountSchema,
  issue: issueSchema.optional(),
  pull_request: z.union([issueSchema, numbered]).optional(),
  comment: z.union([lineCommentSchema, commentSchema]).optional(),
  review: reviewSchema.optional(),
});
export type Delivery = z.infer<typeof deliverySchema>;
