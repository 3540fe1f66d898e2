namespace KcdDelegation.Kerberos;

/// <summary>Ticket flags that matter to delegation; bit n of RFC 4120 §5.3 is <c>0x80000000 &gt;&gt; n</c>. Others are kept as they came.</summary>
[Flags]
public enum TicketFlags : uint
{
    /// <summary>No flag set.</summary>
    None = 0,

    /// <summary>forwardable(1): as evidence, the ticket may be delegated.</summary>
    Forwardable = 0x40000000,

    /// <summary>renewable(8).</summary>
    Renewable = 0x00800000,

    /// <summary>pre-authent(10).</summary>
    PreAuthenticated = 0x00200000,

    /// <summary>ok-as-delegate(13); a hint only, ignored from foreign realms.</summary>
    OkAsDelegate = 0x00040000,
}
