using KcdDelegation.Gateway;

return await GatewayCommandLine.RunAsync(args, Console.Out, Console.Error);
