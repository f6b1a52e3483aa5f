-- AlterTable
ALTER TABLE "Identity" ADD COLUMN     "directRefusedAt" TIMESTAMPTZ(3),
ADD COLUMN     "directToldAt" TIMESTAMPTZ(3);
