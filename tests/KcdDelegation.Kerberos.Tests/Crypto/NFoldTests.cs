using System.Text;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class NFoldTests
{
    [Theory]
    [InlineData(64, "012345", "be072631276b1955")]
    [InlineData(56, "password", "78a07b6caf85fa")]
    [InlineData(64, "Rough Consensus, and Running Code", "bb6ed30870b7f0e0")]
    [InlineData(168, "password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e")]
    [InlineData(192, "MASSACHVSETTS INSTITVTE OF TECHNOLOGY", "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b")]
    [InlineData(168, "Q", "518a54a215a8452a518a54a215a8452a518a54a215")]
    [InlineData(168, "ba", "fb25d531ae8974499f52fd92ea9857c4ba24cf297e")]
    [InlineData(64, "kerberos", "6b65726265726f73")]
    [InlineData(128, "kerberos", "6b65726265726f737b9b5b2b93132b93")]
    [InlineData(168, "kerberos", "8372c236344e5f1550cd0747e15d62ca7a5a3bcea4")]
    [InlineData(256, "kerberos", "6b65726265726f737b9b5b2b93132b935c9bdcdad95c9899c4cae4dee6d6cae4")]
    public void Folds_as_in_RFC_3961_appendix_A_1(int bits, string input, string expected)
    {
        var output = new byte[bits / 8];
        NFold.Fold(Encoding.ASCII.GetBytes(input), output);
        Hex.Text(output).ShouldBe(expected);
    }
}
