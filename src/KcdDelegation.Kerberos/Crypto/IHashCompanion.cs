namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Work that runs in steps between the rounds of a hash's compression function, on otherwise idle execution units.</summary>
internal interface IHashCompanion
{
    void Step();
}

/// <summary>A companion that does nothing.</summary>
internal readonly struct NoCompanion : IHashCompanion
{
    public void Step()
    {
        // The hash runs without other work.
    }
}
