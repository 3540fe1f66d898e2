using System.Runtime.InteropServices;
using KcdDelegation.Gateway;

namespace KcdDelegation.Samples.GatewayDemo;

/// <summary>Starts the gateway with everything that it needs, and prints which address to open.</summary>
internal static class Program
{
    public static async Task<int> Main()
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await using var environment = await DemoEnvironment.StartAsync(stop.Token);
            // The gateway itself, as the command kcd-gateway starts it.
            var gateway = GatewayCommandLine.RunAsync(["--config", environment.SettingsPath], Console.Out, Console.Error, stop.Token);
            if (await Task.WhenAny(gateway, environment.WaitForGatewayAsync(stop.Token)) != gateway)
                Console.WriteLine(environment.Describe());
            return await gateway;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
