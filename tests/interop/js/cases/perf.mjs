import { perf } from "../perf.mjs";

export const options = { upload: 0, download: 0 };

export async function run(dialer, { upload, download }) {
  if (upload + download === 0) throw new Error("perf needs --upload or --download");
  const { connection } = await dialer.connect();
  return {
    upload_bytes: upload,
    upload_seconds: upload > 0 ? await perf(connection, { upload, download: 0 }) : 0,
    download_bytes: download,
    download_seconds: download > 0 ? await perf(connection, { upload: 0, download }) : 0,
  };
}
