import chromium from '@sparticuz/chromium';
import { type Browser, chromium as driver } from 'playwright-core';

/** Meant for servers that render pages of strangers one by one; here they break separate contexts and hide what CORS would refuse. */
const UNWANTED = ['--single-process', '--no-zygote', '--disable-web-security', '--allow-running-insecure-content'];

/** A real headless Chromium that came with npm. Throws with what to do when it does not start on this machine. */
export async function launchBrowser(): Promise<Browser> {
  const args = [...chromium.args.filter((arg) => !UNWANTED.includes(arg)), '--no-sandbox'];
  try {
    return await driver.launch({ executablePath: await chromium.executablePath(), args });
  } catch (error) {
    throw new Error(
      'The browser tests need Chromium, and it did not start. On Linux x64 it comes with @sparticuz/chromium, unpacked into the ' +
        'temporary folder: check that this folder has 300 MB free and allows programs to run, and that the libraries named ' +
        'below (libnss3, libnspr4) are installed',
      { cause: error },
    );
  }
}
