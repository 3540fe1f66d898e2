using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>A process for each column, just started.</summary>
internal sealed class ProcessSet : IDisposable
{
    private readonly List<MeasuredProcess> _processes = [];

    private ProcessSet()
    {
    }

    /// <summary>Gets the processes in the order of the columns.</summary>
    public IReadOnlyList<MeasuredProcess> Processes =>
        [.. GatewayColumn.All.Select(column => _processes.Single(process => process.Column == column))];

    /// <summary>Gets the length of the <c>Authorization</c> value.</summary>
    public int HeaderLength { get; private set; }

    /// <summary>Starts the processes, and requires that the backend of the first one gets a valid ticket.</summary>
    public static async Task<ProcessSet> StartAsync(
        TestRealm realm, TestIssuer issuer, KcdOptions kcd, UserFiles users, int ticketKilobytes)
    {
        var settings = new ProcessSettings { Authority = issuer.Authority, Audience = TestIssuer.DefaultAudience };
        var set = new ProcessSet();
        try
        {
            // The control needs the length of the header, and the first column of delegation gives it.
            var ours = GatewayColumn.All.Single(column => column.Name == GatewayColumn.Delegated);
            set._processes.Add(MeasuredProcess.Start(ours, settings, kcd, users));
            var authorization = await set._processes[0].ReadAuthorizationAsync(0);
            GatewayRun.CheckTicket(realm, authorization, ticketKilobytes);
            set.HeaderLength = settings.ControlLength = authorization.Length;
            foreach (var column in GatewayColumn.All.Where(column => column != ours))
                set._processes.Add(MeasuredProcess.Start(column, settings, kcd, users));
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var process in _processes)
            process.Dispose();
    }
}
