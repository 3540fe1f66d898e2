using System.Diagnostics.Metrics;

namespace KcdDelegation.Http;

/// <summary>The instruments of the connections to the backends. Their only tag is the application's name.</summary>
internal sealed class ConnectionMetrics(string application)
{
    private static readonly Meter s_meter = new(KcdTelemetry.Name);

    private static readonly UpDownCounter<long> s_users = s_meter.CreateUpDownCounter<long>(
        "kcd.connection_pool.users", "{user}", "Users who have connections to the application, idle ones included.");

    private static readonly UpDownCounter<long> s_connections = s_meter.CreateUpDownCounter<long>(
        "kcd.connection_pool.connections", "{connection}", "Open connections to the application, idle ones included.");

    private static readonly UpDownCounter<long> s_waiting = s_meter.CreateUpDownCounter<long>(
        "kcd.connection_pool.waiting_requests", "{request}", "Requests that wait for a connection.");

    private static readonly Counter<long> s_evictions = s_meter.CreateCounter<long>(
        "kcd.connection_pool.evictions", "{user}", "Idle users whose connections were closed for another user.");

    private readonly KeyValuePair<string, object?> _tag = new("kcd.application", application);

    public void AddUsers(int change) => s_users.Add(change, _tag);

    public void AddConnections(int change) => s_connections.Add(change, _tag);

    public void AddWaiting(int change) => s_waiting.Add(change, _tag);

    public void AddEviction() => s_evictions.Add(1, _tag);
}
