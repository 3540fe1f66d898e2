using KcdDelegation.Tool;
using KcdDelegation.Tool.Terminal;

return await KcdCommandLine.RunAsync(args, Streams.FromConsole());
