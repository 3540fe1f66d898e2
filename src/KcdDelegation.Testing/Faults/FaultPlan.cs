using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Faults;

/// <summary>Faults that wait for their exchange, in the order in which they were armed. Thread-safe.</summary>
internal sealed class FaultPlan
{
    private readonly Lock _lock = new();
    private readonly List<ArmedFault> _armed = [];

    public void Arm(KdcFault fault, KerberosExchange? exchange, int times)
    {
        lock (_lock)
            _armed.Add(new ArmedFault(fault, exchange) { Remaining = times });
    }

    public void DisarmAll()
    {
        lock (_lock)
            _armed.Clear();
    }

    /// <summary>The first that fits, or null. One that alters replies waits for a reply.</summary>
    public KdcFault? Take(KerberosExchange exchange, KdcTransport transport, bool hasReply)
    {
        lock (_lock)
        {
            var armed = _armed.Find(candidate =>
                (candidate.Exchange ?? exchange) == exchange && (candidate.Fault.Transport ?? transport) == transport && (hasReply || candidate.Fault.Alter is null));
            if (armed is not null && --armed.Remaining == 0)
                _armed.Remove(armed);
            return armed?.Fault;
        }
    }

    private sealed record ArmedFault(KdcFault Fault, KerberosExchange? Exchange)
    {
        public required int Remaining { get; set; }
    }
}
