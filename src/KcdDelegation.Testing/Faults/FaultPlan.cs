using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Faults;

/// <summary>The faults that have not happened yet, in the order in which they were added. Thread-safe.</summary>
internal sealed class FaultPlan
{
    private readonly Lock _lock = new();
    private readonly List<PlannedFault> _planned = [];

    public void Add(KdcFault fault, KerberosExchange? exchange, int times)
    {
        lock (_lock)
            _planned.Add(new PlannedFault(fault, exchange) { Remaining = times });
    }

    public void Clear()
    {
        lock (_lock)
            _planned.Clear();
    }

    /// <summary>Takes the first fault for this exchange, or null. A fault that changes replies requires a reply.</summary>
    public KdcFault? Take(KerberosExchange exchange, KdcTransport transport, bool hasReply)
    {
        lock (_lock)
        {
            var planned = _planned.Find(candidate => (candidate.Exchange ?? exchange) == exchange
                && (candidate.Fault.Transport ?? transport) == transport
                && (hasReply || candidate.Fault.Alter is null));
            if (planned is not null && --planned.Remaining == 0)
                _planned.Remove(planned);
            return planned?.Fault;
        }
    }

    private sealed record PlannedFault(KdcFault Fault, KerberosExchange? Exchange)
    {
        public required int Remaining { get; set; }
    }
}
