using KcdDelegation.Gateway.Commands;

return await GatewayCommandLine.RunAsync(args, Console.Out, Console.Error);
