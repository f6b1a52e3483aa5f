-- CreateTable
CREATE TABLE "ChannelMove" (
    "platform" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "fromId" TEXT NOT NULL,
    "toId" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "movedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ChannelMove_pkey" PRIMARY KEY ("platform","tenant","fromId")
);

-- CreateTable
CREATE TABLE "GuidedForm" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "thread" TEXT,
    "channelKind" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "form" JSONB NOT NULL,
    "values" JSONB NOT NULL DEFAULT '{}',
    "field" INTEGER NOT NULL DEFAULT 0,
    "asked" INTEGER NOT NULL DEFAULT 1,
    "answers" TEXT[],
    "state" TEXT NOT NULL DEFAULT 'open',
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "GuidedForm_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ChannelMove_platform_tenant_toId_idx" ON "ChannelMove"("platform", "tenant", "toId");

-- CreateIndex
CREATE UNIQUE INDEX "GuidedForm_origin_key" ON "GuidedForm"("origin");

-- CreateIndex
CREATE INDEX "GuidedForm_platform_tenant_channel_account_state_idx" ON "GuidedForm"("platform", "tenant", "channel", "account", "state");

-- CreateIndex
CREATE INDEX "GuidedForm_state_expiresAt_idx" ON "GuidedForm"("state", "expiresAt");

-- CreateIndex
CREATE INDEX "Inbox_platform_tenant_receivedAt_idx" ON "Inbox"("platform", "tenant", "receivedAt");
