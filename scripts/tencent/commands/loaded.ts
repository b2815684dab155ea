/**
 * Loads what a command needs beside the cloud: the functions' own code, a database, a WeChat. Only when it is asked for,
 * and through tsx: the shim that loads this plugin covers require(), import() needs its own.
 */
export async function loaded<Module>(load: () => Promise<Module>): Promise<Module> {
  const { register } = await import('tsx/esm/api')
  register()
  return load()
}
