namespace KcdDelegation.Kerberos;

/// <summary>The ticket flags that matter to delegation. Bit n of RFC 4120 §5.3 is <c>0x80000000 &gt;&gt; n</c>; other bits are kept
/// unchanged.</summary>
[Flags]
public enum TicketFlags : uint
{
    /// <summary>No flags.</summary>
    None = 0,

    /// <summary>forwardable(1). Evidence with this flag can be delegated.</summary>
    Forwardable = 0x40000000,

    /// <summary>renewable(8).</summary>
    Renewable = 0x00800000,

    /// <summary>pre-authent(10).</summary>
    PreAuthenticated = 0x00200000,

    /// <summary>ok-as-delegate(13). A hint, ignored from other realms.</summary>
    OkAsDelegate = 0x00040000,
}
